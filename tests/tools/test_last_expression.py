"""A program that only ends with an expression shows its value, as in a notebook."""

from __future__ import annotations

import pytest

from mini_agent.messages import function_call
from mini_agent.tools.invoker import ToolOutput
from mini_agent.tools.local import LocalMCPInvoker, print_last_expression


async def ran(code: str) -> ToolOutput:
    return await LocalMCPInvoker().call_openai_tool(
        function_call("1", "exec_python", {"code": code})
    )


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("6 * 7", "42\n"),
        ("x = 6\nx * 7", "42\n"),
        ("x = 'é'; x + 'ß'  # both", "'éß'\n"),
        ("def f():\n    return 42\n\nf()", "42\n"),
        ("sum(\n  [6] * 7\n)", "42\n"),
        ("print(6 * 7)\n6", "42\n"),
        ("[].append(1)", ""),
        ("x = 42", ""),
    ],
)
async def test_its_value_is_what_is_printed(code: str, shown: str) -> None:
    output = await ran(code)
    assert (output.ok, output.stdout) == (True, shown)


async def test_an_error_in_it_is_told_at_its_line() -> None:
    output = await ran("x = 1\n\nx / 0")
    assert "ZeroDivisionError" in output.stderr
    assert "x / 0" in output.stderr


@pytest.mark.parametrize("code", ["", "'words'", "1 +", "print(1)\n2", "x = 1", "\0"])
def test_a_program_that_does_not_end_so_stays_as_it_is(code: str) -> None:
    assert print_last_expression(code) == code


async def test_a_file_that_is_not_there_is_answered_with_those_that_are() -> None:
    output = await ran("open('a.txt', 'w').close()\nprint(open('b.txt').read())")
    assert output.note == "each call starts in a folder of its own, which held: a.txt, main.py"
