"""Hints: where the cause of a failure is known, the model is told what to do about it."""

from __future__ import annotations

import pytest

from mini_agent.testing.scripted import execution
from mini_agent.tools.hints import SANDBOX_PACKAGES, find_hint
from mini_agent.tools.invoker import ToolOutput, error_output, text_output
from mini_agent.tools.sandbox import to_tool_output


def failing(stderr: str) -> ToolOutput:
    return to_tool_output(execution(status="nonzero", stderr=stderr))


@pytest.mark.parametrize(
    ("stderr", "hint"),
    [
        (
            "ModuleNotFoundError: No module named 'httpx'",
            (
                "httpx is not installed and nothing can be installed: use the standard library or "
                f"{SANDBOX_PACKAGES}"
            ),
        ),
        ("NameError: name 'np' is not defined", "add: import numpy as np"),
        ("NameError: name 'json' is not defined", "add: import json"),
        ("NameError: name 'total' is not defined", ""),
        ("IndentationError: unexpected indent", "indent with four spaces, the same in a block"),
        (
            "EOFError: EOF when reading a line",
            "there is no input: put the values into the program",
        ),
        (
            "SyntaxError: unexpected character after line continuation character",
            "write real line breaks in the program, not \\n",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'a.csv'",
            "every call starts in an empty folder: write the file in the same program",
        ),
        (
            "URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
            "there is no network in the sandbox: work with what the task gives you",
        ),
        (
            "PermissionError: [Errno 13] Permission denied: '/etc/x'",
            "only the working folder can be written",
        ),
        ("Error: Cannot find module 'lodash'", "lodash is not there: use Node's own modules"),
        ("./main.go:5:2: declared and not used: x", "remove it, or use it"),
        (
            "bash: line 1: jq: command not found",
            "there is no command jq: do it another way",
        ),
        ("ValueError: something else", ""),
    ],
)
def test_a_known_cause_gets_its_hint(stderr: str, hint: str) -> None:
    assert find_hint("exec_python", failing(stderr)) == hint


def test_a_program_that_printed_nothing_is_asked_to_print() -> None:
    assert "print the result" in find_hint("exec_python", text_output("\n"))


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("exec_python", text_output("42\n")),
        ("exec_python", ToolOutput(ok=True, rc=0, stderr="a warning")),
        ("exec_shell", text_output("")),
        ("echo", text_output("")),
        ("exec_python", error_output("it is busy")),
    ],
)
def test_where_there_is_nothing_to_say_nothing_is_said(name: str, output: ToolOutput) -> None:
    assert find_hint(name, output) == ""


def test_a_value_that_is_shown_by_itself_need_not_be_printed() -> None:
    shown = execution("").model_copy(update={"result_repr": "42"})
    assert find_hint("exec_python", to_tool_output(shown)) == ""


def test_the_limits_that_were_met_are_named() -> None:
    slow = to_tool_output(execution(status="timeout"))
    big = to_tool_output(execution(status="oom"))
    assert "its time limit of 10 s" in find_hint("exec_python", slow)
    assert "more memory than 256 MB" in find_hint("exec_python", big)


def test_outside_a_sandbox_nothing_is_said_about_one() -> None:
    output = ToolOutput(ok=False, rc=1, stderr="ModuleNotFoundError: No module named 'x'")
    assert find_hint("exec_python", output) == "x is not installed: do without it"
    offline = ToolOutput(ok=False, rc=1, stderr="getaddrinfo failed")
    assert find_hint("exec_python", offline) == ""
