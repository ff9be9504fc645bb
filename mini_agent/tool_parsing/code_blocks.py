"""Blocks of code that a model wrote where a call was wanted.

A block runs in its own language when a tool for that language is offered and the block is meant
to be run. It is meant to be run while no tool has succeeded yet in the run; after that only when
the words before it announce so, because a model that has its result explains it, also in code.
It is never meant where the text calls it an example and goes on, says not to run it, or shows
what was printed. Other fences (json, diff, text, output, console, languages nobody runs) are text.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from pydantic import JsonValue

from mini_agent.tool_parsing.found import Fence
from mini_agent.tool_parsing.found_ import Tools, Wanted
from mini_agent.tool_parsing.programs_ import (
    prints,
    python_tree,
    seems_whole,
    without_prompts,
)
from mini_agent.tool_parsing.surroundings import Surroundings
from mini_agent.tools.names import tool_for
from mini_agent.tools.offered import OfferedTool
from mini_agent_protocol.languages import Language

TRANSCRIPT: Final = re.compile(r"\A\s*(?:>>> |In \[\d+\]:)")
PLACEHOLDER: Final = re.compile(
    r"<(?:your|insert|path|code|the)[\w -]*>|\byour_\w+_here\b", re.IGNORECASE
)


def block_call(
    fence: Fence, tools: Tools, around: Surroundings, *, has_result: bool
) -> Wanted | None:
    """The call that a block stands for; None where it is to be left alone."""
    language = fence.language or _unlabelled(fence)
    tool = tool_for(language, tools) if language else None
    if tool is None or language is None or not fence.body.strip():
        return None
    if around.is_aside or around.is_output or _is_no_program(fence.body):
        return None
    if has_result and not around.announces:
        return None
    code = without_prompts(fence.body) if language == "bash" else fence.body
    parameter = tool.required[0] if tool.required else "code"
    whole = fence.is_closed or seems_whole(language, code)
    return Wanted(tool.name, {parameter: code}, is_whole=whole, is_explicit=True)


def _unlabelled(fence: Fence) -> Language | None:
    return "python" if fence.label in ("", "tool_code") and prints(fence.body) else None


def _is_no_program(code: str) -> bool:
    return bool(TRANSCRIPT.match(code) or PLACEHOLDER.search(code))


def tool_calls_in_program(code: str, tools: Tools) -> tuple[Wanted, ...]:
    """The calls of tools that are all a Python program does: `print(exec_python(code="..."))`."""
    tree = python_tree(code) if any(name in code for name in tools) else None
    if tree is None or not tree.body:
        return ()
    wanted = [_of_statement(statement, tools) for statement in tree.body]
    calls = tuple(each for each in wanted if isinstance(each, Wanted))
    return calls if calls and None not in wanted else ()


def _of_statement(statement: ast.stmt, tools: Tools) -> Wanted | str | None:
    """The call in a statement; its words where it only prints, None where it does more."""
    if isinstance(statement, ast.Assign | ast.Expr):
        return _of_expression(statement.value, tools)
    return "imports" if isinstance(statement, ast.Import | ast.ImportFrom) else None


def _of_expression(expression: ast.expr, tools: Tools) -> Wanted | str | None:
    if isinstance(expression, ast.Await):
        expression = expression.value
    if isinstance(expression, ast.Constant):
        return "says"
    if not isinstance(expression, ast.Call):
        return None
    name = ast.unparse(expression.func)
    if name.rsplit(".", 1)[-1] in tools:
        return _of_call(expression, tools[name.rsplit(".", 1)[-1]])
    if name != "print":
        return None
    inner = [_of_expression(each, tools) for each in expression.args]
    called = [each for each in inner if isinstance(each, Wanted)]
    return called[0] if len(called) == 1 else "prints"


def _of_call(call: ast.Call, tool: OfferedTool) -> Wanted | None:
    names = (*tool.required, *(each for each in tool.parameters if each not in tool.required))
    try:
        plain = [ast.literal_eval(each) for each in call.args]
        given: dict[str, JsonValue] = dict(zip(names, plain, strict=False))
        given.update({each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg})
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if len(plain) == 1 and isinstance(plain[0], dict) and not call.keywords:
        given = dict(plain[0])
    return Wanted(tool.name, given, is_explicit=True)
