"""The caller's messages: what is refused, naming the place, and what is put into shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from pydantic import JsonValue

from mini_agent.config import AgentConfig
from mini_agent.conversation import checked
from mini_agent.errors import BadRequest
from mini_agent.loop import run_agent
from mini_agent.messages import assistant, function_call, tool_result, user
from mini_agent.testing.scripted import ScriptedModel
from mini_agent.tools.echo import EchoMCP

Given = Sequence[Mapping[str, JsonValue]]
ASKED = assistant("", [function_call("a", "echo", {"text": "x"})])
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
        ([user("hi"), {"role": "assistant", "content": None}], "messages[1].content"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
        ([user("hi"), tool_result("a", "x")], "messages[1].tool_call_id"),
        ([ASKED, tool_result("a", "x"), tool_result("a", "y")], "messages[2].tool_call_id"),
        ([ASKED], "messages"),
        ([ASKED, user("hi"), tool_result("a", "x")], "messages"),
        ([{"role": "assistant", "tool_calls": "x"}], "messages[0].tool_calls"),
        ([{"role": "assistant", "tool_calls": ["x"]}], "messages[0].tool_calls[0]"),
        (
            [{"role": "assistant", "tool_calls": [{"function": {"name": "echo"}}]}],
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
        checked(messages)
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
    assert checked(messages) == messages


def test_a_call_without_content_gets_empty_text() -> None:
    call = {key: value for key, value in ASKED.items() if key != "content"}
    assert checked([call, tool_result("a", "x")]) == [ASKED, tool_result("a", "x")]


def test_arguments_given_as_an_object_become_json_text() -> None:
    call: JsonValue = {"id": "a", "function": {"name": "echo", "arguments": {"text": "x"}}}
    messages: Given = [{"role": "assistant", "tool_calls": [call]}, tool_result("a", "x")]
    assert checked(messages) == [ASKED, tool_result("a", "x")]


def test_assistant_messages_in_a_row_become_one() -> None:
    given = [user("hi"), assistant("one"), assistant("two"), user("go on")]
    assert checked(given) == [user("hi"), assistant("one\n\ntwo"), user("go on")]


def test_parts_in_a_row_become_one_list_of_parts() -> None:
    part: JsonValue = {"type": "text", "text": "two"}
    given: Given = [assistant("one"), {"role": "assistant", "content": [part]}, user("go on")]
    assert checked(given)[0]["content"] == [{"type": "text", "text": "one"}, part]


def test_a_conversation_that_ends_with_the_assistant_is_carried_on() -> None:
    assert checked([user("hi"), assistant("Once")])[-1] == user("Continue.")


def test_text_that_cannot_be_encoded_is_made_to() -> None:
    assert checked([user("a\ud800b")]) == [user("a?b")]
