"""OpenAI's format, as facts about `/v1/chat/completions` that clients rely on."""

from __future__ import annotations

import json

import httpx
import pytest

from mini_agent.testing import (
    Call,
    ScriptedServer,
    Tokens,
    breaks_off,
    call,
    calls,
    empty_choices,
    no_tools,
    not_pulled,
    null_content,
    server_error,
    text,
    truncated,
    truncated_call,
)
from mini_agent.testing.replies import JsonObject, JsonValue, Refusal


def complete(server: ScriptedServer, **more: JsonValue) -> httpx.Response:
    turn = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **more}
    return httpx.post(f"{server.openai_url}/chat/completions", json=turn, trust_env=False)


def events(response: httpx.Response) -> list[str]:
    *events_, last, nothing = response.text.split("\n\n")
    assert (last, nothing) == ("data: [DONE]", "")
    return [event.removeprefix("data: ") for event in events_]


def test_a_completion_is_not_streamed_unless_asked() -> None:
    with ScriptedServer(["Good day."]) as server:
        answer = complete(server).json()
    (choice,) = answer["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Good day."}
    assert choice["finish_reason"] == "stop"
    assert (answer["object"], answer["system_fingerprint"]) == ("chat.completion", "fp_ollama")


def test_usage_is_what_the_reply_says_it_cost() -> None:
    with ScriptedServer([text("x", tokens=Tokens(100, 5, cached=64))]) as server:
        usage = complete(server).json()["usage"]
    assert usage == {
        "prompt_tokens": 100,
        "completion_tokens": 5,
        "total_tokens": 105,
        "prompt_tokens_details": {"cached_tokens": 64},
    }


def test_arguments_of_a_native_call_are_a_string_and_the_reason_is_tool_calls() -> None:
    with ScriptedServer([calls(Call("a", {"x": 1}), Call("b"))]) as server:
        choice = complete(server).json()["choices"][0]
    first, second = choice["message"]["tool_calls"]
    assert first["type"] == "function"
    assert json.loads(first["function"]["arguments"]) == {"x": 1}
    assert second["function"] == {"name": "b", "arguments": "{}"}
    assert first["id"] != second["id"]
    assert choice["finish_reason"] == "tool_calls"


def test_broken_arguments_go_out_as_they_are() -> None:
    with ScriptedServer([calls(Call("a", "{'x': 1"))]) as server:
        message = complete(server).json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["arguments"] == "{'x': 1"


def test_a_call_cut_by_the_token_limit_is_a_call_with_a_fragment() -> None:
    with ScriptedServer([truncated_call("a", '{"code":'), truncated("and so")]) as server:
        cut_call = complete(server).json()["choices"][0]
        cut_text = complete(server).json()["choices"][0]
    assert cut_call["message"]["tool_calls"][0]["function"]["arguments"] == '{"code":'
    assert (cut_call["finish_reason"], cut_text["finish_reason"]) == ("length", "length")


def test_a_stream_is_events_that_end_with_done() -> None:
    with ScriptedServer(["Good day."]) as server:
        response = complete(server, stream=True)
    assert response.headers["content-type"] == "text/event-stream"
    deltas = [event["choices"][0] for event in map(json.loads, events(response))]
    assert "".join(choice["delta"].get("content", "") for choice in deltas) == "Good day."
    assert [choice["finish_reason"] for choice in deltas][-1] == "stop"


def test_a_streamed_call_carries_its_index() -> None:
    with ScriptedServer([calls(Call("a"), Call("b"))]) as server:
        chunks = [
            event["choices"][0] for event in map(json.loads, events(complete(server, stream=True)))
        ]
    made = [
        choice["delta"]["tool_calls"][0] for choice in chunks if "tool_calls" in choice["delta"]
    ]
    assert [(one["index"], one["function"]["name"]) for one in made] == [(0, "a"), (1, "b")]
    assert chunks[-1]["finish_reason"] == "tool_calls"


def test_usage_is_streamed_only_when_asked_for() -> None:
    with ScriptedServer(["x", "x"]) as server:
        without = [*map(json.loads, events(complete(server, stream=True)))]
        options: JsonObject = {"include_usage": True}
        chunks = [*map(json.loads, events(complete(server, stream=True, stream_options=options)))]
    assert not any("usage" in event for event in without)
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 30)


def test_reasoning_is_under_both_names_that_servers_use() -> None:
    with ScriptedServer([text("yes", reasoning="hmm")]) as server:
        message = complete(server).json()["choices"][0]["message"]
    assert (message["reasoning_content"], message["reasoning"]) == ("hmm", "hmm")


def test_content_can_be_null() -> None:
    with ScriptedServer([null_content()]) as server:
        assert complete(server).json()["choices"][0]["message"]["content"] is None


def test_choices_can_be_empty_streamed_or_not() -> None:
    with ScriptedServer([empty_choices(), empty_choices()]) as server:
        assert complete(server).json()["choices"] == []
        assert json.loads(events(complete(server, stream=True))[0])["choices"] == []


@pytest.mark.parametrize(
    ("reply", "status", "kind"),
    [
        (no_tools("m"), 400, "invalid_request_error"),
        (not_pulled("m"), 404, "not_found_error"),
        (server_error("boom"), 500, "api_error"),
    ],
)
def test_a_refusal_is_an_error_object_with_its_type(reply: Refusal, status: int, kind: str) -> None:
    with ScriptedServer([reply]) as server:
        response = complete(server)
    assert response.status_code == status
    assert response.json()["error"] == {
        "message": reply.message,
        "type": kind,
        "param": None,
        "code": None,
    }


def test_an_error_in_the_middle_of_a_stream_is_its_last_event() -> None:
    with ScriptedServer([breaks_off("partly", "runner died")]) as server:
        chunks = complete(server, stream=True).text.strip().split("\n\n")
    assert json.loads(chunks[-1].removeprefix("data: "))["error"]["message"] == "runner died"


def test_no_messages_are_refused() -> None:
    with ScriptedServer() as server:
        response = complete(server, messages=[])
    assert response.status_code == 400
    assert "messages" in response.json()["error"]["message"]


def test_options_are_logged_apart_from_the_conversation() -> None:
    with ScriptedServer([call("a")]) as server:
        complete(server, temperature=0.5, tools=[{"type": "function"}])
    (seen,) = server.requests
    assert seen.options == {"temperature": 0.5}
    assert (seen.model, seen.stream, seen.tools) == ("m", False, [{"type": "function"}])


def test_models_are_listed_and_one_can_be_asked_for() -> None:
    with ScriptedServer() as server:
        listed = httpx.get(f"{server.openai_url}/models", trust_env=False).json()["data"]
        one = httpx.get(f"{server.openai_url}/models/org/m:1b", trust_env=False).json()
    assert [model["id"] for model in listed] == ["scripted:latest"]
    assert (one["id"], one["object"]) == ("org/m:1b", "model")
