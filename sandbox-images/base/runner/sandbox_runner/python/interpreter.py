"""This interpreter as if it had just started: its streams, flags, path and modules."""

import io
import sys

from mini_agent_protocol.record import TYPE_CHECKING
from sandbox_runner.process.pipes import VALUES_FD
from sandbox_runner.python import notebook
from sandbox_runner.python.figures import take_over
from sandbox_runner.python.hooks import HOOKS
from sandbox_runner.python.preload import hide_runner_modules, reseed, unload_shadowed_modules
from sandbox_runner.python.values import ValueWriter

if TYPE_CHECKING:
    from typing import TextIO

# One at most, and that for as long as the interpreter lives.
_writers: list[ValueWriter] = []


def prepare_interpreter() -> None:
    """Does once what stays the same for every program: streams, flags, hooks."""
    _open_streams()
    _reset_flags()
    writer = ValueWriter(VALUES_FD)
    _writers.append(writer)
    notebook.install(writer)
    HOOKS.add("matplotlib.pyplot", lambda pyplot: take_over(pyplot, writer.write_figures))


def reset_interpreter(folder: str, argv: list[str]) -> ValueWriter:
    """Makes this interpreter look as if it had just started: argv, path, modules, streams.

    Returns what the program's values are written with.
    """
    if not _writers:
        prepare_interpreter()
    sys.argv, sys.orig_argv = argv, ["python3", *argv]
    sys.path[0] = folder
    hide_runner_modules()
    unload_shadowed_modules(folder)
    reseed()
    _writers[0].begin()
    return _writers[0]


def current_writer() -> ValueWriter:
    """What the program's values are written with, once the interpreter was reset."""
    return _writers[0]


def _open_streams() -> None:
    """Opens standard output and error anew: what is written is out, a whole line or not."""
    output = _open(1, "<stdout>", "strict")
    errors = _open(2, "<stderr>", "backslashreplace")
    vars(sys).update(stdout=output, __stdout__=output, stderr=errors, __stderr__=errors)


class _Stream(io.FileIO):
    """The raw file below a stream, a pipe when the program runs.

    `FileIO` would remember that what the descriptor stood for before could be sought in.
    """

    def seekable(self) -> bool:
        """Always False, as of a pipe."""
        return False


def _open(descriptor: int, name: str, errors: str) -> "TextIO":
    # Nothing is held back, so a deadline or a crash takes nothing that was printed before it.
    raw = _Stream(descriptor, "w", closefd=False)
    raw.name = name
    text = io.TextIOWrapper(raw, "utf-8", errors, newline="\n", write_through=True)
    text.mode = "w"  # type: ignore[misc]
    return text


class _Flags(tuple[int, ...]):  # noqa: SLOT001 - one object
    """`sys.flags` of a plain interpreter: the runner's own must not reach the ones it starts."""

    _plain = ("isolated", "ignore_environment", "no_site", "no_user_site", "safe_path")

    def __new__(cls) -> "_Flags":  # noqa: PYI034
        """Takes over all but those that the runner is started with."""
        kept = sys.flags
        names = [name for name in dir(kept) if name[0] != "_" and name not in ("count", "index")]
        flags = super().__new__(cls, kept)
        for name in names:
            value = getattr(kept, name)
            vars(flags)[name] = type(value)(0) if name in cls._plain else value
        vars(flags)["dont_write_bytecode"] = 1
        return flags

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"sys.flags({fields})"


def _reset_flags() -> None:
    """Makes the flags those of `python3`, which writes no byte code here."""
    vars(sys)["flags"] = _Flags()
    sys.dont_write_bytecode = True
