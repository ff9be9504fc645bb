"""The strict validator itself: what it lets through and what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from pydantic import JsonValue

from mini_agent.messages import assistant, function_call, system, tool_result, user
from mini_agent.testing.transcript_rules import broken_request_rules, broken_rules

CALLS = assistant("", [function_call("a", "echo", {"text": "x"})])
ANSWERED = [user("hi"), CALLS, tool_result("a", "x")]
TWICE = assistant("", [function_call("a", "echo", {}), function_call("a", "echo", {})])


def with_function(**function: JsonValue) -> list[Mapping[str, JsonValue]]:
    call: JsonValue = {"id": "a", "type": "function", "function": dict(function)}
    return [user("hi"), {"role": "assistant", "content": "", "tool_calls": [call]}]


@pytest.mark.parametrize(
    "messages",
    [
        [user("hi")],
        [system("s"), user("hi"), assistant("a"), user("b")],
        ANSWERED,
        [*ANSWERED, assistant("done")],
        [*ANSWERED, user("go on")],
    ],
)
def test_a_good_transcript_breaks_no_rule(messages: Sequence[Mapping[str, JsonValue]]) -> None:
    assert broken_rules(messages) == []


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([{"role": "robot", "content": "x"}], "the role is 'robot'"),
        ([{"role": "user", "content": None}], "the content is None"),
        ([user("")], "a message of user is empty"),
        ([user("a"), assistant("")], "a message of assistant is empty"),
        ([*ANSWERED[:2], tool_result("a", "")], "a message of tool is empty"),
        ([system("s")], "nobody for the assistant to answer"),
        ([user("a"), assistant("b"), assistant("c")], "follows on itself"),
        ([user("a"), system("s")], "instructions in the middle"),
        ([user("a"), tool_result("a", "x")], "a tool answers the user"),
        ([user("a"), tool_result("a", "x")], "is not the id of an open call"),
        ([user("a"), CALLS], "are not answered"),
        ([user("a"), CALLS, user("b")], "are not answered"),
        ([*ANSWERED, tool_result("a", "y")], "is not the id of an open call"),
        ([user("a"), TWICE], "an id stands for two calls"),
        ([{**CALLS, "tool_calls": []}], "tool_calls is []"),
        ([{"role": "user", "content": "x", "tool_calls": ["x"]}], "of user"),
        (with_function(name="", arguments="{}"), "the name of a call is ''"),
        (with_function(name="do it", arguments="{}"), "the name of a call is 'do it'"),
        (with_function(name="a", arguments="{"), "the arguments of a call are"),
        (with_function(name="a", arguments={}), "the arguments of a call are"),
    ],
)
def test_a_broken_rule_is_named(
    messages: Sequence[Mapping[str, JsonValue]], complaint: str
) -> None:
    assert any(complaint in broken for broken in broken_rules(messages))


def test_a_request_must_not_end_with_the_assistant() -> None:
    assert broken_rules([user("a"), assistant("b")]) == []
    assert broken_request_rules([user("a"), assistant("b")]) != []
