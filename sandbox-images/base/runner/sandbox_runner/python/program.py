"""A Python snippet as the main program of an interpreter that was forked from the runner.

Its source is compiled so that the value of the last expression can be shown.
"""

import _ast
import builtins
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType

from mini_agent_protocol.record import Record
from sandbox_runner.process.pipes import VALUES_FD
from sandbox_runner.python.exit import attempt, exit_process, report
from sandbox_runner.python.preload import hide_runner_modules, reseed, unload_shadowed_modules
from sandbox_runner.python.values import NO_VALUE, ValueWriter

ONLY_AST = 0x400
FUTURES = 0x1FF_0000
MAX_SPLIT_BYTES = 1 << 18


def run_source(source: bytes | str, name: str, namespace: dict[str, object]) -> object:
    """Runs it; the value of its last statement where that is an expression, else NO_VALUE."""
    body, last = _compile_source(source, name)
    exec(body, namespace)  # noqa: S102 - running it is what a sandbox is for
    return NO_VALUE if last is None else eval(last, namespace)  # noqa: S307


def _compile_source(source: bytes | str, name: str) -> tuple[CodeType, CodeType | None]:
    if len(source) <= MAX_SPLIT_BYTES:
        try:
            return _split(source, name)
        except (RecursionError, MemoryError):
            pass  # A tree has limits that a compiler alone does not have.
    return compile(source, name, "exec", dont_inherit=True), None


def _split(source: bytes | str, name: str) -> tuple[CodeType, CodeType | None]:
    tree = compile(source, name, "exec", ONLY_AST, dont_inherit=True)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], _ast.Expr) else None
    body = compile(tree, name, "exec", dont_inherit=True)
    if last is None:
        return body, None
    flags = body.co_flags & FUTURES
    return body, compile(_ast.Expression(last.value), name, "eval", flags, dont_inherit=True)


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
