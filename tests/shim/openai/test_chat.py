"""`/v1/chat/completions` and `/v1/models`, in OpenAI's words."""

from __future__ import annotations

from http import HTTPStatus

import httpx
import pytest

from mini_agent.tools.arguments import parse_tools
from mini_agent_shim.openai.chat_models import ChatChunk
from mini_agent_shim.settings import ShimSettings
from tests.shim.scripted import ScriptedModel, open_client, program_turn, text_turn

SETTINGS = ShimSettings(code_model="a/b")
MESSAGES: list[object] = [{"role": "user", "content": "What is six times seven?"}]
ASKED: dict[str, object] = {
    "model": "mini-agent",
    "messages": MESSAGES,
    "mini_agent": {"tool_backend": "echo"},
}
SHELL: dict[str, object] = {"type": "function", "function": {"name": "shell", "parameters": {}}}


async def answered(asked: dict[str, object], model: ScriptedModel) -> httpx.Response:
    async with open_client(model, SETTINGS) as client:
        return await client.post("/v1/chat/completions", json=asked)


def chunks_in(text: str) -> list[ChatChunk]:
    said = [each.removeprefix("data: ") for each in text.split("\n\n") if each]
    assert said.pop() == "[DONE]"
    return [ChatChunk.model_validate_json(each) for each in said]


async def test_a_run_is_a_chat_completion() -> None:
    answer = await answered(
        ASKED, ScriptedModel([program_turn("6*7", tool="echo"), text_turn("42")])
    )
    said = answer.json()
    assert answer.status_code == HTTPStatus.OK
    assert said["choices"][0]["message"] == {"role": "assistant", "content": "42", "refusal": None}
    assert (said["object"], said["choices"][0]["finish_reason"]) == ("chat.completion", "stop")
    assert said["mini_agent"]["iterations"] == 2
    assert said["id"] == f"chatcmpl-{answer.headers['x-run-id']}"


async def test_a_stream_tells_what_the_run_does_as_reasoning_and_then_the_answer() -> None:
    asked = ASKED | {"stream": True, "stream_options": {"include_usage": True}}
    answer = await answered(
        asked, ScriptedModel([program_turn("6*7", tool="echo"), text_turn("42")])
    )
    chunks = chunks_in(answer.text)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(str(delta.get("content", "")) for delta in deltas) == "42"
    assert "echo: " in "".join(str(delta.get("reasoning_content", "")) for delta in deltas)
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_clients_function_is_offered_and_its_call_handed_back() -> None:
    model = ScriptedModel([program_turn("ls", tool="shell"), text_turn("There is a.txt.")])
    async with open_client(model, SETTINGS) as client:
        asked = ASKED | {"tools": [SHELL]}
        first = (await client.post("/v1/chat/completions", json=asked)).json()["choices"][0]
        (call,) = first["message"]["tool_calls"]
        result = {"role": "tool", "tool_call_id": call["id"], "content": "a.txt"}
        going_on = [*MESSAGES, first["message"], result]
        asked["messages"] = going_on
        second = (await client.post("/v1/chat/completions", json=asked)).json()["choices"][0]
    assert list(parse_tools(model.requests[0].tools)) == ["echo", "shell"]
    assert (first["finish_reason"], first["message"]["content"]) == ("tool_calls", None)
    assert call["function"] == {"name": "shell", "arguments": '{"code": "ls"}'}
    assert model.requests[1].messages[-1]["content"] == "a.txt"
    assert (second["finish_reason"], second["message"]["content"]) == ("stop", "There is a.txt.")


async def test_a_stream_hands_the_call_back_in_a_delta() -> None:
    asked = ASKED | {"tools": [SHELL], "stream": True}
    answer = await answered(asked, ScriptedModel([program_turn("ls", tool="shell")]))
    chunks = chunks_in(answer.text)
    (delta,) = [each.choices[0].delta for each in chunks if "tool_calls" in each.choices[0].delta]
    assert delta["tool_calls"] == [
        {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "shell", "arguments": '{"code": "ls"}'},
        }
    ]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_tools_of_a_service_are_declined_and_the_model_is_told_so() -> None:
    model = ScriptedModel([text_turn("I cannot use that.")])
    tools = [{"type": "web_search"}]
    answer = await answered(ASKED | {"tools": tools, "functions": [{"name": "old"}]}, model)
    assert answer.headers["x-mini-agent-declined-tools"] == "web_search, old"
    assert answer.json()["mini_agent"]["declined_tools"] == ["web_search", "old"]
    assert "tool_calls" not in answer.json()["choices"][0]["message"]
    assert "(web_search, old)" in str(model.requests[0].messages[0])
    assert list(parse_tools(model.requests[0].tools)) == ["echo"]


@pytest.mark.parametrize(
    ("choice", "offered", "passed"),
    [
        ("auto", ["echo", "shell"], None),
        ("none", ["echo"], None),
        ("required", ["echo", "shell"], "required"),
        ({"type": "function", "function": {"name": "shell"}}, ["echo", "shell"], "shell"),
    ],
)
async def test_a_tool_choice_counts(choice: object, offered: list[str], passed: str | None) -> None:
    model = ScriptedModel([text_turn("ok")])
    await answered(ASKED | {"tools": [SHELL], "tool_choice": choice}, model)
    assert list(parse_tools(model.requests[0].tools)) == offered
    assert (passed or "None") in str(model.requests[0].options.get("tool_choice"))


async def test_parameters_of_the_model_reach_it_and_others_are_named() -> None:
    model = ScriptedModel([text_turn("ok")])
    asked = ASKED | {"reasoning_effort": "low", "logit_bias": {"1": 2}, "user": "me", "store": None}
    answer = await answered(asked | {"max_iterations": 3, "max_completion_tokens": 9}, model)
    options = model.requests[0].options
    assert (options["reasoning_effort"], options["logit_bias"]) == ("low", {"1": 2})
    assert options["max_tokens"] == 9
    assert answer.json()["mini_agent"]["unused_parameters"] == ["user"]


async def test_a_run_that_a_limit_stopped_is_no_whole_answer() -> None:
    asked = ASKED | {"max_iterations": 1}
    model = ScriptedModel([program_turn("6*7", tool="echo"), text_turn("Perhaps 42.")])
    answer = (await answered(asked, model)).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["mini_agent"]["stopped_reason"] == "max_iterations"


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"tools": [SHELL], "tool_choice": {"type": "function", "name": "x"}}, 400, "tool_choice"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, 422, "client_tools"),
        ({"temprature": 1}, 400, "did you mean temperature?"),
        ({"mood": "good"}, 400, "there is no parameter 'mood'"),
        ({"max_tokens": 0}, 422, "max_tokens"),
        ({"n": 2}, 400, "n is not available"),
        ({"logprobs": True}, 400, "logprobs is not available"),
        ({"modalities": ["audio"]}, 400, "modalities is not available"),
        ({"model": "gpt-5"}, 404, "there is no model 'gpt-5'"),
        ({"messages": []}, 422, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, 400, "known roles"),
        ({"temperature": 9}, 422, "temperature"),
        ({"mini_agent": {"max_iterations": 0}}, 422, "max_iterations"),
        ({"mini_agent": {"wand": 1}}, 422, "wand"),
        ({"mini_agent": {"stream": True}}, 400, "stream stands beside it"),
        ({"response_format": {"type": "poem"}}, 422, "poem"),
    ],
)
async def test_what_cannot_be_is_refused_and_no_model_is_asked(
    changed: dict[str, object], status: int, said: str
) -> None:
    model = ScriptedModel([])
    answer = await answered(ASKED | changed, model)
    assert answer.status_code == status
    assert said in answer.text
    assert model.requests == []


async def test_what_is_null_is_not_asked_for() -> None:
    nothing: dict[str, None] = dict.fromkeys(("tools", "tool_choice", "temperature", "stream", "n"))
    answer = await answered(ASKED | nothing, ScriptedModel([text_turn("42")]))
    assert answer.status_code == HTTPStatus.OK


async def test_another_model_is_named_after_a_slash() -> None:
    model = ScriptedModel([text_turn("42")])
    await answered(ASKED | {"model": "mini-agent/ollama/qwen3", "top_p": 0.5}, model)
    assert model.requests[0].model == "ollama/qwen3"


async def test_the_models_are_listed_and_found() -> None:
    async with open_client(ScriptedModel([]), SETTINGS) as client:
        names = [each["id"] for each in (await client.get("/v1/models")).json()["data"]]
        found = await client.get("/v1/models/mini-agent/a/b")
        missing = await client.get("/v1/models/gpt-5")
    assert names == ["mini-agent", "mini-agent/a/b"]
    assert found.json()["id"] == "mini-agent/a/b"
    assert missing.json()["error"]["code"] == "model_not_found"
