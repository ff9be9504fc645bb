"""Killing and reaping: all of a snippet's processes, or all but those that a session keeps."""

import os
import signal
import time
from collections.abc import Iterator

POLL_INTERVAL_S = 0.0005


def kill_all(spared: frozenset[int] = frozenset()) -> None:
    """Kills and reaps every process of the sandbox but this one; those spared are stopped."""
    # INVARIANT: only the first process of a namespace comes here; kill(-1) reaches all it can see.
    if os.getpid() != 1:
        raise SystemExit("the runner is not the first process of a sandbox")
    try:
        os.kill(-1, signal.SIGSTOP if spared else signal.SIGKILL)
    except ProcessLookupError:
        return
    if spared:
        _kill_others(spared)
        return
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def reap_ended() -> Iterator[tuple[int, int]]:
    """The processes that have ended by now, with their wait statuses."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; its status stays to be reaped."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _kill_others(spared: frozenset[int]) -> None:
    # All are stopped, so none is forked after the list is read.
    pids = {int(name) for name in os.listdir("/proc") if name.isdigit()} - spared - {1}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    while not all(_is_gone(pid, spared) for pid in pids):
        for _ in reap_ended():
            pass
        time.sleep(POLL_INTERVAL_S)


def _is_gone(pid: int, spared: frozenset[int]) -> bool:
    # A child of a spared process stays listed until its parent reaps it.
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            state, parent = stat.read().rpartition(b")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == b"Z" and int(parent) in spared
