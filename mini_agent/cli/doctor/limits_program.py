"""A program for a container with small limits: print each limit that holds."""

import os
import signal
from pathlib import Path

# Of cgroup v2 and of v1, whose folder has either name.
QUOTAS = (
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us",
)


def memory() -> bool:
    """A child that takes too much is killed, or gets no more."""
    child = os.fork()
    if child == 0:
        try:
            taken = bytearray(200 << 20)
            taken[::4096] = bytes(len(taken[::4096]))
        except MemoryError:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def processes() -> bool:
    """At some point there are no more."""
    children: list[int] = []
    try:
        while len(children) < 64:
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
    except BlockingIOError:
        return True
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return False


def cpu() -> bool:
    """The kernel has a quota for this container. What is had of a busy machine would not tell."""
    given = next(file for file in map(Path, QUOTAS) if file.exists())
    return given.read_text(encoding="ascii").split()[0] not in ("max", "-1")


if __name__ == "__main__":
    for limit in (memory, processes, cpu):
        if limit():
            print(limit.__name__, flush=True)
