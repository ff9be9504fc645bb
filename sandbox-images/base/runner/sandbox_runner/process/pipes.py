"""The first process of a snippet: its pipes, and its fork."""

import ctypes
import os
import signal

from mini_agent_protocol.record import Record
from sandbox_runner.paths import WORKSPACE

PR_SET_DUMPABLE = 4
OOM_SCORE = b"1000"
EXIT_NOT_FOUND = 127
COMMAND_FOLDERS = os.get_exec_path()
OPEN_FILES = os.sysconf("SC_OPEN_MAX")
# High: a program may count on the numbers that follow its three standard streams.
VALUES_FD = min(1000, OPEN_FILES - 2)
CONTROL_FD = VALUES_FD + 1

_libc = ctypes.CDLL(None, use_errno=True)


class Pipes(Record):
    """A process and the runner's ends of its three standard streams, and of its values."""

    pid: int
    stdin: int
    stdout: int
    stderr: int
    values: int


class ChildPipes(Record):
    """The same pipes from the process's side."""

    stdin: int
    stdout: int
    stderr: int
    values: int

    def close(self) -> None:
        """Closes them on the runner's side, which has no use for them once they are handed over."""
        for end in self:
            os.close(end)


def make_undumpable() -> None:
    """Denies other processes of this user /proc/1/mem, /proc/1/fd and ptrace of this one."""
    _set_dumpable(0)


def open_pipes() -> tuple[Pipes, ChildPipes]:
    """The pipes for a process that does not exist yet; its pid is filled in later."""
    stdin, stdout, stderr, values = os.pipe(), os.pipe(), os.pipe(), os.pipe()
    for ours in (stdin[1], stdout[0], stderr[0], values[0]):
        os.set_blocking(ours, False)
    return (
        Pipes(0, stdin[1], stdout[0], stderr[0], values[0]),
        ChildPipes(stdin[0], stdout[1], stderr[1], values[1]),
    )


def fork_with_pipes(control: int = -1) -> Pipes | None:
    """Forks. The pipes in the runner, None in the child, which is then ready for its program.

    The child keeps `control`, where one is given, as `CONTROL_FD`.
    """
    ours, theirs = open_pipes()
    pid = os.fork()
    if pid == 0:
        _set_up_child(theirs, control)
        return None
    theirs.close()
    return ours._replace(pid=pid)


def exec_command(command: tuple[str, ...]) -> None:
    """Replaces the forked child by a command; does not return."""
    for name in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    why = "not found"
    for path in _places(command[0]):
        try:
            os.execv(path, command)  # noqa: S606 - no shell is wanted
        except FileNotFoundError:
            continue
        except OSError as refused:
            why = refused.strerror or str(refused)
    os.write(2, f"{command[0]}: {why}\n".encode())
    os._exit(EXIT_NOT_FOUND)


def _places(name: str) -> list[str]:
    # In the image's PATH: a snippet's own is for what the program starts.
    return [name] if "/" in name else [f"{folder}/{name}" for folder in COMMAND_FOLDERS]


def _set_up_child(theirs: ChildPipes, control: int) -> None:
    os.setsid()
    for ours, standard in zip(theirs, (0, 1, 2, VALUES_FD), strict=True):
        os.dup2(ours, standard, inheritable=standard != VALUES_FD)
    if control >= 0:
        os.dup2(control, CONTROL_FD, inheritable=False)
    signal.set_wakeup_fd(-1)
    os.closerange(3, VALUES_FD)
    os.closerange((CONTROL_FD if control >= 0 else VALUES_FD) + 1, OPEN_FILES)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The files under /proc/self belong to root as long as a process is not dumpable.
    _set_dumpable(1)
    score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(score, OOM_SCORE)
    os.close(score)
    os.umask(0o022)
    os.chdir(WORKSPACE)


def _set_dumpable(value: int) -> None:
    if _libc.prctl(PR_SET_DUMPABLE, value, 0, 0, 0) != 0:
        raise SystemExit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
