"""A Python snippet as the main program of an interpreter that was forked from the runner."""

from __future__ import annotations

import builtins
import signal
import site
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import NamedTuple


class Program(NamedTuple):
    """A Python file in a folder, and the arguments it is called with."""

    folder: str
    name: str
    args: list[str]


def run_as_main(program: Program) -> None:
    """Runs the file as `python3 NAME ARGS` would, then lets the interpreter end as usual."""
    path = f"{program.folder}/{program.name}"
    _look_like_a_fresh_interpreter(program)
    main = ModuleType("__main__")
    loader = SourceFileLoader("__main__", path)
    vars(main).update(__file__=path, __builtins__=builtins, __cached__=None, __loader__=loader)
    sys.modules["__main__"] = main
    try:
        with open(path, "rb") as source:
            code = compile(source.read(), path, "exec", dont_inherit=True)
        exec(code, vars(main))  # noqa: S102 - running it is what a sandbox is for
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - as the interpreter itself does at the top
        _report(error)


def _look_like_a_fresh_interpreter(program: Program) -> None:
    sys.argv = [program.name, *program.args]
    sys.path[0] = program.folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "sandbox_runner"]:
        del sys.modules[name]
    site.main()
    # A deadline must not take the lines that were printed before it.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _report(error: BaseException) -> None:
    # Our own frame is the first of the traceback: the snippet's reader has no use for it.
    trace = error.__traceback__ and error.__traceback__.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    sys.exit(1)
