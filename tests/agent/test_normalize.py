"""The caller's messages: what is refused, naming the place, and what is put into shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from pydantic import JsonValue

from mini_agent.agent.normalize import MISSING_RESULT, normalize_messages
from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest
from mini_agent.messages import assistant, function_call, tool_result, user
from mini_agent.testing.scripted import ScriptedModel
from mini_agent.testing.transcript_rules import broken_rules
from mini_agent.tools.catalog import EchoMCP
from tests.agent.checked_run import run_agent

Given = Sequence[Mapping[str, JsonValue]]
ASKED = assistant("", [function_call("a", "echo", {"text": "x"})])
TWICE_ASKED = assistant("", [function_call(each, "echo", {"text": each}) for each in ("a", "b")])
BROKEN: JsonValue = {"id": "a", "function": {"name": "echo", "arguments": '{"text'}}


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "messages"),
        ([user("hi"), {"role": "robot", "content": "x"}], "messages[1].role"),
        ([{"content": "x"}], "messages[0].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "user", "content": None}], "messages[0].content"),
        ([{"role": "user", "content": 7}], "messages[0].content"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"text": "x"}]}], "messages[0].content[0]"),
        (["hi"], "messages[0]"),
        ([TWICE_ASKED, tool_result("c", "x")], "messages[1].tool_call_id"),
        ([{"role": "assistant", "tool_calls": "x"}], "messages[0].tool_calls"),
        ([{"role": "assistant", "tool_calls": ["x"]}], "messages[0].tool_calls[0]"),
        (
            [{"role": "assistant", "tool_calls": [{"id": 7, "function": {"name": "echo"}}]}],
            "messages[0].tool_calls[0].id",
        ),
        (
            [{"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}],
            "messages[0].tool_calls[0].function.name",
        ),
        (
            [{"role": "assistant", "tool_calls": [BROKEN]}],
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_place(messages: Given, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        normalize_messages(messages)
    assert refused.value.field == field
    assert refused.value.message.startswith(field)


async def test_a_bad_message_reaches_no_model() -> None:
    with ScriptedModel() as model, pytest.raises(BadRequest, match=r"messages\[0\]\.role is 'bot'"):
        await run_agent([{"role": "bot", "content": "x"}], EchoMCP(), AgentConfig(model="m"), model)


@pytest.mark.parametrize(
    "messages",
    [
        [user("hi")],
        [{"role": "developer", "content": "Be brief."}, user("hi")],
        [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        [user("hi"), ASKED, tool_result("a", "x")],
        [{"role": "user", "content": "hi", "name": "ann"}],
    ],
)
def test_good_messages_stay_as_they_are(messages: Given) -> None:
    assert normalize_messages(messages) == messages


def test_a_call_without_content_gets_empty_text() -> None:
    call = {key: value for key, value in ASKED.items() if key != "content"}
    assert normalize_messages([call, tool_result("a", "x")]) == [ASKED, tool_result("a", "x")]


def test_arguments_given_as_an_object_become_json_text() -> None:
    call: JsonValue = {"id": "a", "function": {"name": "echo", "arguments": {"text": "x"}}}
    messages: Given = [{"role": "assistant", "tool_calls": [call]}, tool_result("a", "x")]
    assert normalize_messages(messages) == [ASKED, tool_result("a", "x")]


def test_assistant_messages_in_a_row_become_one() -> None:
    given = [user("hi"), assistant("one"), assistant("two"), user("go on")]
    assert normalize_messages(given) == [user("hi"), assistant("one\n\ntwo"), user("go on")]


def test_parts_in_a_row_become_one_list_of_parts() -> None:
    part: JsonValue = {"type": "text", "text": "two"}
    given: Given = [assistant("one"), {"role": "assistant", "content": [part]}, user("go on")]
    assert normalize_messages(given)[0]["content"] == [{"type": "text", "text": "one"}, part]


def test_a_conversation_that_ends_with_the_assistant_is_carried_on() -> None:
    assert normalize_messages([user("hi"), assistant("Once")])[-1] == user("Continue.")


def test_text_that_cannot_be_encoded_is_made_to() -> None:
    assert normalize_messages([user("a\ud800b")]) == [user("a?b")]


ECHO_CALL: JsonValue = {"name": "echo", "arguments": '{"text": "x"}'}
NAMELESS: JsonValue = {"function": ECHO_CALL}
FIRST = assistant("", [function_call("call_1", "echo", {"text": "x"})])


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([{"role": " Human", "content": "hi"}], [user("hi")]),
        ([{"role": "ai", "content": "a"}, user("b")], [assistant("a"), user("b")]),
        ([user("a"), {"role": "assistant", "content": None}], [user("a")]),
        ([user("a"), assistant(""), user("b")], [user("a"), user("b")]),
        ([ASKED], [ASKED, tool_result("a", MISSING_RESULT)]),
        ([ASKED, user("b")], [ASKED, tool_result("a", MISSING_RESULT), user("b")]),
        (
            [user("hi"), tool_result("a", "x")],
            [user("hi"), user("Output of an earlier tool call:\nx")],
        ),
        (
            [ASKED, tool_result("a", "x"), tool_result("a", "y")],
            [ASKED, tool_result("a", "x"), user("Output of an earlier tool call:\ny")],
        ),
        ([ASKED, {"role": "tool", "content": "x"}], [ASKED, tool_result("a", "x")]),
        ([ASKED, tool_result("other", "x")], [ASKED, tool_result("a", "x")]),
        ([ASKED, tool_result("a", "")], [ASKED, tool_result("a", "(no output)")]),
        (
            [ASKED, {"role": "tool", "tool_call_id": "a", "content": {"n": 1}}],
            [ASKED, tool_result("a", '{"n": 1}')],
        ),
        (
            [TWICE_ASKED, tool_result("b", "y")],
            [TWICE_ASKED, tool_result("b", "y"), tool_result("a", MISSING_RESULT)],
        ),
        (
            [{"role": "assistant", "tool_calls": [NAMELESS]}, {"role": "tool", "content": "x"}],
            [FIRST, tool_result("call_1", "x")],
        ),
        (
            [
                {"role": "assistant", "function_call": ECHO_CALL},
                {"role": "function", "content": "x"},
            ],
            [FIRST, tool_result("call_1", "x")],
        ),
        (
            [{"role": "system", "content": "Be brief."}],
            [{"role": "system", "content": "Be brief."}, user("Continue.")],
        ),
    ],
)
def test_what_is_plainly_meant_is_put_right(given: Given, taken: Given) -> None:
    assert normalize_messages(given) == taken


def test_an_id_used_twice_in_one_message_is_made_two() -> None:
    twice = assistant("", [function_call("a", "echo", {"text": each}) for each in ("x", "y")])
    taken = normalize_messages([twice, tool_result("a", "x"), tool_result("a", "y")])
    assert [message.get("tool_call_id") for message in taken[1:]] == ["a", "a_1"]
    assert broken_rules(taken) == []
