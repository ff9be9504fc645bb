"""Ollama's format, as facts about `/api/chat` that clients rely on."""

from __future__ import annotations

import json

import httpx
import pytest

from mini_agent.testing import (
    Call,
    Models,
    ScriptedServer,
    blank,
    breaks_off,
    call,
    calls,
    empty_choices,
    fenced_call,
    fenced_code,
    json_call,
    no_tools,
    not_pulled,
    null_content,
    reasoning_only,
    server_error,
    tagged_call,
    text,
    think,
    truncated,
    truncated_call,
)
from mini_agent.testing.replies import (
    JsonObject,
    JsonValue,
    Refusal,
    Reply,
)

METRICS = {
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
}


def chat(server: ScriptedServer, **more: JsonValue) -> httpx.Response:
    turn = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **more}
    return httpx.post(f"{server.url}/api/chat", json=turn, trust_env=False)


def test_a_whole_chat_reply_has_message_reason_and_metrics() -> None:
    with ScriptedServer(["Good day."]) as server:
        said = chat(server, stream=False).json()
    assert said["message"] == {"role": "assistant", "content": "Good day."}
    assert (said["model"], said["done"], said["done_reason"]) == ("m", True, "stop")
    assert said.keys() >= METRICS


def test_a_chat_streams_unless_told_not_to() -> None:
    with ScriptedServer(["Good day."]) as server:
        response = chat(server)
    assert response.headers["content-type"] == "application/x-ndjson"
    *words, last = map(json.loads, response.iter_lines())
    assert "".join(line["message"]["content"] for line in words) == "Good day."
    assert not any(line["done"] for line in words)
    assert (last["message"]["content"], last["done"], last["done_reason"]) == ("", True, "stop")
    assert last.keys() >= METRICS


def test_arguments_of_a_native_call_are_an_object_and_the_reason_stays_stop() -> None:
    with ScriptedServer([call("exec_python", code="print(1)")]) as server:
        said = chat(server, stream=False).json()
    (made,) = said["message"]["tool_calls"]
    assert made["function"] == {
        "index": 0,
        "name": "exec_python",
        "arguments": {"code": "print(1)"},
    }
    assert made["id"].startswith("call_")
    assert said["done_reason"] == "stop"


def test_several_native_calls_have_their_own_ids() -> None:
    script = [calls(Call("a"), Call("b", id="call_mine"), content="Two of them.")]
    with ScriptedServer(script) as server:
        message = chat(server, stream=False).json()["message"]
    assert message["content"] == "Two of them."
    assert [made["function"]["name"] for made in message["tool_calls"]] == ["a", "b"]
    assert [made["function"]["index"] for made in message["tool_calls"]] == [0, 1]
    assert message["tool_calls"][1]["id"] == "call_mine"


def test_ids_are_never_used_twice() -> None:
    with ScriptedServer([call("a"), call("a")]) as server:
        first, second = (
            chat(server, stream=False).json()["message"]["tool_calls"] for _ in range(2)
        )
    assert first[0]["id"] != second[0]["id"]


def test_an_older_server_sends_neither_id_nor_index() -> None:
    with ScriptedServer([calls(Call("a", {"x": 1}, id=""))]) as server:
        message = chat(server, stream=False).json()["message"]
    assert message["tool_calls"] == [{"function": {"name": "a", "arguments": {"x": 1}}}]


def test_a_streamed_call_arrives_whole_in_one_line() -> None:
    with ScriptedServer([call("exec_python", code="print(1)" * 20)]) as server:
        first, last = [*map(json.loads, chat(server).iter_lines())]
    assert first["message"]["tool_calls"][0]["function"]["arguments"] == {"code": "print(1)" * 20}
    assert last["done"]


@pytest.mark.parametrize(
    ("reply", "content"),
    [
        (json_call("f", x=1), '{"name": "f", "arguments": {"x": 1}}'),
        (fenced_call("f", x=1), '```json\n{"name": "f", "arguments": {"x": 1}}\n```'),
        (tagged_call("f"), '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'),
        (fenced_code("print(1)"), "```python\nprint(1)\n```"),
        (think("hmm", "yes"), "<think>hmm</think>yes"),
        (blank(), ""),
        (blank(" \n"), " \n"),
        (null_content(), None),
        (truncated_call("f", '{"co'), '{"name": "f", "arguments": {"co'),
    ],
)
def test_what_a_weak_model_writes_stays_in_the_content(reply: Reply, content: str | None) -> None:
    with ScriptedServer([reply]) as server:
        message = chat(server, stream=False).json()["message"]
    assert message == {"role": "assistant", "content": content}


def test_think_tags_arrive_in_pieces_when_streamed() -> None:
    with ScriptedServer([think("hmm", "yes")]) as server:
        words = [line["message"]["content"] for line in map(json.loads, chat(server).iter_lines())]
    assert "".join(words) == "<think>hmm</think>yes"
    assert not any("<think>" in word for word in words)


def test_reasoning_has_a_field_of_its_own() -> None:
    with ScriptedServer([text("yes", reasoning="hmm, well"), reasoning_only("hmm")]) as server:
        whole = chat(server, stream=False).json()["message"]
        streamed = [line["message"] for line in map(json.loads, chat(server).iter_lines())]
    assert (whole["content"], whole["thinking"]) == ("yes", "hmm, well")
    assert "".join(message.get("thinking", "") for message in streamed) == "hmm"
    assert not any(message["content"] for message in streamed)


def test_an_answer_cut_by_the_token_limit_says_length() -> None:
    with ScriptedServer([truncated("and so"), truncated_call("f")]) as server:
        assert chat(server, stream=False).json()["done_reason"] == "length"
        assert [*map(json.loads, chat(server).iter_lines())][-1]["done_reason"] == "length"


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (no_tools("m:latest"), 400, "registry.ollama.ai/library/m:latest does not support tools"),
        (not_pulled("m"), 404, "model 'm' not found"),
        (server_error(), 500, "llama runner process has terminated: exit status 2"),
    ],
)
def test_a_refusal_is_an_error_text_with_its_status(
    reply: Reply | Refusal, status: int, said: str
) -> None:
    with ScriptedServer([reply]) as server:
        response = chat(server)
    assert (response.status_code, response.json()) == (status, {"error": said})


def test_an_error_in_the_middle_of_a_stream_leaves_the_status_at_200() -> None:
    with ScriptedServer([breaks_off("partly", "runner died")]) as server:
        response = chat(server)
    assert response.status_code == 200
    *words, last = map(json.loads, response.iter_lines())
    assert "".join(line["message"]["content"] for line in words) == "partly"
    assert last == {"error": "runner died"}


def test_the_same_error_is_a_500_for_a_client_that_does_not_stream() -> None:
    with ScriptedServer([breaks_off("partly", "runner died")]) as server:
        response = chat(server, stream=False)
    assert (response.status_code, response.json()) == (500, {"error": "runner died"})


def test_an_answer_without_an_answer_has_no_message() -> None:
    with ScriptedServer([empty_choices()]) as server:
        said = chat(server, stream=False).json()
    assert said["done"]
    assert "message" not in said


@pytest.mark.parametrize(("more", "reason"), [({}, "load"), ({"keep_alive": 0}, "unload")])
def test_no_messages_only_load_or_unload_the_model_and_use_no_reply(
    more: JsonObject, reason: str
) -> None:
    with ScriptedServer() as server:
        said = chat(server, **{"messages": [], **more}).json()
    assert (said["done"], said["done_reason"]) == (True, reason)


def test_a_model_without_tools_refuses_them_and_answers_without() -> None:
    models = Models(capabilities=("completion",))
    with ScriptedServer(["fine"], models=models) as server:
        refused = chat(server, tools=[{"type": "function"}], stream=False)
        answered = chat(server, stream=False)
    assert refused.status_code == 400
    assert refused.json()["error"].endswith("library/m:latest does not support tools")
    assert answered.json()["message"]["content"] == "fine"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "missing request body"),
        (b"{", "invalid JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "model is required"),
        (b'{"model": "../x"}', "invalid model name"),
    ],
)
def test_a_bad_body_is_a_400_that_says_why(body: bytes, said: str) -> None:
    with ScriptedServer() as server:
        response = httpx.post(f"{server.url}/api/chat", content=body, trust_env=False)
    assert response.status_code == 400
    assert said in response.json()["error"]
