"""What the kernel counted for this sandbox, under either version of cgroups."""

from __future__ import annotations

COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def oom_kills() -> int:
    """Processes killed so far because the sandbox had used up its memory."""
    for counter in COUNTERS:
        try:
            with open(counter, "rb") as lines:
                counts = dict(line.split() for line in lines)
        except OSError:
            continue
        return int(counts.get(b"oom_kill", 0))
    return 0
