"""A program's last expression shown, as a notebook shows it, where the program prints nothing."""

from __future__ import annotations

import ast
import warnings
from typing import Final

SHOWS: Final = ("print", "stdout", "stderr", "logging", "subprocess", "os.system", "display")
LONGEST: Final = 100_000


def with_last_expression(code: str) -> str:
    """`code` with its last expression shown; unchanged where it ends otherwise or prints itself."""
    if len(code) > LONGEST or any(word in code for word in SHOWS):
        return code
    last = _last_statement(code)
    if not isinstance(last, ast.Expr) or isinstance(last.value, ast.Constant | ast.Yield):
        return code
    lines = code.encode().split(b"\n")
    before = [*lines[: last.lineno - 1], lines[last.lineno - 1][: last.col_offset]]
    expression = ast.get_source_segment(code, last.value)
    begun = b"\n".join(before).decode()
    return f'{begun}__import__("sys").displayhook(\n{expression}\n)\n'


def _last_statement(code: str) -> ast.stmt | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            body = ast.parse(code).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return body[-1] if body else None
