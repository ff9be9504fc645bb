"""A Python snippet as the main program of an interpreter that was forked from the runner."""

import builtins
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

from mini_agent_protocol.record import Record
from sandbox_runner.process.pipes import VALUES_FD
from sandbox_runner.python.exit import attempt, exit_process, report
from sandbox_runner.python.preload import hide_runner_modules, reseed, unload_shadowed_modules
from sandbox_runner.python.source import run_source
from sandbox_runner.python.values import NO_VALUE, ValueWriter


class Program(Record):
    """A Python file in a folder, and the arguments it is called with."""

    folder: str
    name: str
    args: list[str]

    def run(self) -> None:
        """Runs the file as `python3 NAME ARGS` would; does not return."""
        reset_interpreter(self.folder, [self.name, *self.args])
        exit_process(_run_as_main(f"{self.folder}/{self.name}"))


def warm_up(folder: str) -> None:
    """Does what comes before a program, so that a fork has copied those pages already."""
    reset_interpreter(folder, [])
    run_source(b"0", "", {})


def reset_interpreter(folder: str, argv: list[str]) -> None:
    """Makes this interpreter look as if it had just started: argv, path, modules."""
    sys.argv, sys.orig_argv = argv, ["python3", *argv]
    sys.path[0] = folder
    hide_runner_modules()
    unload_shadowed_modules(folder)
    # A deadline must not take the lines that were printed before it.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    reseed()


def _run_as_main(path: str) -> int:
    values = ValueWriter(VALUES_FD)
    _, error = attempt(lambda: values.write(_run_file(path)))
    if error is None:
        return 0
    code = report(error)
    values.write(NO_VALUE)
    return code


def _run_file(path: str) -> object:
    with open(path, "rb") as source:
        text = source.read()
    return run_source(text, path, vars(_new_main(path)))


def _new_main(path: str) -> ModuleType:
    main = ModuleType("__main__")
    vars(main).update(
        __file__=path,
        __builtins__=builtins,
        __cached__=None,
        __loader__=SourceFileLoader("__main__", path),
        __annotations__={},
    )
    sys.modules["__main__"] = main
    return main
