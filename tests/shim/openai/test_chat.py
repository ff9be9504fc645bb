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
ASKED: dict[str, object] = {
    "model": "mini-agent",
    "messages": [{"role": "user", "content": "What is six times seven?"}],
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


async def test_a_clients_tools_are_declined_and_the_model_is_told_so() -> None:
    model = ScriptedModel([text_turn("I cannot use that.")])
    answer = await answered(ASKED | {"tools": [SHELL]}, model)
    assert answer.headers["x-mini-agent-declined-tools"] == "shell"
    assert answer.json()["mini_agent"]["declined_tools"] == ["shell"]
    assert "tool_calls" not in answer.json()["choices"][0]["message"]
    assert "tools of its own (shell)" in str(model.requests[0].messages[0])
    assert list(parse_tools(model.requests[0].tools)) == ["echo"]


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"tools": [SHELL], "tool_choice": "required"}, 400, "tool_choice 'required' cannot be"),
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
    assert said in answer.json()["error"]["message"]
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
