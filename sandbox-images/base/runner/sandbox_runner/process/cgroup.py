"""Memory counters of this sandbox's cgroup, under either version of cgroups."""

COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
UNLIMITED = 1 << 62


def memory_limit() -> int:
    """The sandbox's memory limit, in bytes."""
    for limit in LIMITS:
        try:
            with open(limit, "rb") as number:
                value = number.read().strip()
        except OSError:
            continue
        return int(value) if value.isdigit() else UNLIMITED
    return UNLIMITED


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
