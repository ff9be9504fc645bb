"""The list of tools an invoker gives, read."""

from __future__ import annotations

import pytest

from mini_agent.errors import MiniAgentError
from mini_agent.tools.arguments import parse_tools
from mini_agent.tools.catalog import ECHO, EXEC_PYTHON


def test_a_tool_is_known_by_its_name_with_what_a_call_must_carry() -> None:
    tool = parse_tools([EXEC_PYTHON])["exec_python"]
    assert (tool.parameters, tool.required) == (("code", "timeout_s"), ("code",))
    assert tool.schema == EXEC_PYTHON


def test_of_two_tools_with_one_name_the_first_stays() -> None:
    second = {"type": "function", "function": {"name": "echo"}}
    assert parse_tools([ECHO, second])["echo"].schema == ECHO


def test_a_tool_may_say_nothing_about_its_parameters() -> None:
    tool = parse_tools([{"function": {"name": "now", "parameters": None}}])["now"]
    assert (tool.parameters, tool.required) == ((), ())


@pytest.mark.parametrize("listed", [None, "echo", {"echo": 1}, 7])
def test_something_that_is_no_list_is_refused(listed: object) -> None:
    with pytest.raises(MiniAgentError, match="not as a list"):
        parse_tools(listed)


@pytest.mark.parametrize("entry", [None, "echo", {}, {"function": {}}, {"function": {"name": 1}}])
def test_a_tool_without_a_name_is_refused(entry: object) -> None:
    with pytest.raises(MiniAgentError, match="a tool without a name"):
        parse_tools([entry])
