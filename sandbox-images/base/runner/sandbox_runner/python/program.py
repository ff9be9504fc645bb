"""A Python snippet as the main program of an interpreter that was forked from the runner.

Its source is compiled so that the value of the last expression can be shown.
"""

import _ast
import builtins
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType

from mini_agent_protocol.record import TYPE_CHECKING, Record
from sandbox_runner.python import notebook
from sandbox_runner.python.exit import attempt, exit_process, report
from sandbox_runner.python.interpreter import current_writer, reset_interpreter
from sandbox_runner.python.values import NO_VALUE, ValueWriter

if TYPE_CHECKING:
    import asyncio

ONLY_AST = 0x400
TOP_LEVEL_AWAIT = 0x2000
CO_COROUTINE = 0x80
FUTURES = 0x1FF_0000
NOTEBOOK_SIGNS = frozenset("!%?")
MAX_SPLIT_BYTES = 1 << 18

# One at most, and that for as long as the interpreter lives.
_loops: "list[asyncio.Runner]" = []


def run_source(source: bytes | str, name: str, namespace: dict[str, object]) -> object:
    """Runs it; the value of its last statement where that is an expression, else NO_VALUE."""
    body, last = _compile_any(source, name, namespace)
    run_code(body, namespace)
    return NO_VALUE if last is None else run_code(last, namespace)


def _compile_any(
    source: bytes | str, name: str, namespace: dict[str, object]
) -> tuple[CodeType, CodeType | None]:
    try:
        return compile_source(source, name)
    except SyntaxError:
        text = source if isinstance(source, str) else source.decode(errors="replace")
        if not NOTEBOOK_SIGNS.intersection(text):
            raise
        python = notebook.to_python(text, name, namespace, run_source, current_writer())
        if python is None:
            raise
    return compile_source(python, name)


def run_code(code: CodeType, namespace: dict[str, object]) -> object:
    """Runs code; where it awaits something outside of all functions, in an event loop."""
    value = eval(code, namespace)  # noqa: S307 - running it is what a sandbox is for
    if not code.co_flags & CO_COROUTINE:
        return value
    return _event_loop().run(value)


def compile_source(source: bytes | str, name: str) -> tuple[CodeType, CodeType | None]:
    """Compiles it, and apart from the rest its last statement where that is an expression."""
    if len(source) <= MAX_SPLIT_BYTES:
        try:
            return _split(source, name, 0)
        except SyntaxError:
            awaiting = _split_awaiting(source, name)
            if awaiting is None:
                raise
            return awaiting
        except (RecursionError, MemoryError):
            pass  # A tree has limits that a compiler alone does not have.
    return compile(source, name, "exec", dont_inherit=True), None


def _split_awaiting(source: bytes | str, name: str) -> tuple[CodeType, CodeType | None] | None:
    word = "await" if isinstance(source, str) else b"await"
    asynchronous = "async" if isinstance(source, str) else b"async"
    if word not in source and asynchronous not in source:  # type: ignore[operator]
        return None
    try:
        return _split(source, name, TOP_LEVEL_AWAIT)
    except SyntaxError:
        return None


def _split(source: bytes | str, name: str, flags: int) -> tuple[CodeType, CodeType | None]:
    tree = compile(source, name, "exec", ONLY_AST, dont_inherit=True)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], _ast.Expr) else None
    body = compile(tree, name, "exec", flags, dont_inherit=True)
    if last is None:
        return body, None
    flags |= body.co_flags & FUTURES
    return body, compile(_ast.Expression(last.value), name, "eval", flags, dont_inherit=True)


def _event_loop() -> "asyncio.Runner":
    if not _loops:
        import asyncio  # noqa: PLC0415 - slow, and most programs await nothing

        _loops.append(asyncio.Runner())
    return _loops[0]


class Program(Record):
    """A Python file with its path, the folder it runs in, and the arguments it is called with."""

    folder: str
    path: str
    args: list[str]

    def run(self) -> None:
        """Runs the file as `python3 FILE ARGS` would; does not return."""
        # From its folder it is called by its name.
        name = self.path.removeprefix(f"{self.folder}/")
        values = reset_interpreter(self.folder, [name, *self.args])
        exit_process(_run_as_main(self.path, values))


def warm_up(folder: str) -> None:
    """Does what comes before a program, so that a fork has copied those pages already."""
    reset_interpreter(folder, [])
    run_source(b"0", "", {})


def _run_as_main(path: str, values: ValueWriter) -> int:
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
