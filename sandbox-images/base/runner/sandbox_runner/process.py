"""The processes of a snippet: how the first one starts, and how all of them end."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import NamedTuple

from sandbox_runner.recipes import WORKSPACE

PR_SET_DUMPABLE = 4
FIRST_TO_GO = b"1000"
COMMAND_NOT_FOUND = 127

_libc = ctypes.CDLL(None, use_errno=True)


class Pipes(NamedTuple):
    """A process and the runner's ends of its three standard streams."""

    pid: int
    stdin: int
    stdout: int
    stderr: int


def seal() -> None:
    """Shuts this process off from others of its own user: no /proc/1/mem, /proc/1/fd, ptrace."""
    _set_dumpable(0)


def fork_with_pipes() -> Pipes | None:
    """Forks. The pipes in the runner, None in the child, which is then ready for its program."""
    stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        _settle_in(stdin[0], stdout[1], stderr[1])
        return None
    for theirs in (stdin[0], stdout[1], stderr[1]):
        os.close(theirs)
    os.set_blocking(stdin[1], False)
    return Pipes(pid, stdin[1], stdout[0], stderr[0])


def become(command: tuple[str, ...]) -> None:
    """Replaces the forked child by a command; it does not come back."""
    for name in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as refused:
        os.write(2, f"{command[0]}: {refused.strerror}\n".encode())
        os._exit(COMMAND_NOT_FOUND)


def kill_everyone() -> None:
    """Kills and reaps every process of the sandbox but this one."""
    # INVARIANT: only the first process of a namespace comes here; kill(-1) reaches all it can see.
    if os.getpid() != 1:
        raise SystemExit("the runner is not the first process of a sandbox")
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _settle_in(stdin: int, stdout: int, stderr: int) -> None:
    os.setsid()
    for ours, standard in ((stdin, 0), (stdout, 1), (stderr, 2)):
        os.dup2(ours, standard)
    signal.set_wakeup_fd(-1)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The files under /proc/self belong to root as long as a process is not dumpable.
    _set_dumpable(1)
    score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(score, FIRST_TO_GO)
    os.close(score)
    os.umask(0o022)
    os.chdir(WORKSPACE)


def _set_dumpable(value: int) -> None:
    if _libc.prctl(PR_SET_DUMPABLE, value, 0, 0, 0) != 0:
        raise SystemExit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
