"""A Python program's source, compiled so that the value of its last expression can be had."""

import _ast
from types import CodeType

from sandbox_runner.python.values import NO_VALUE

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
