"""Parameters of a LiteLLM call: honoured, refused with a 400, or dropped with `drop_params`."""

from __future__ import annotations

from types import ModuleType

import pytest

from mini_agent.provider.parameters import LiteLLMCall, parse_provider_call
from mini_agent.settings import Settings
from mini_agent.testing import ScriptedServer, call

HI = [{"role": "user", "content": "What is 6 * 7?"}]
LOCAL = {"tool_backend": "echo", "target_model": "ollama/m"}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}


def completion(litellm: ModuleType, server: ScriptedServer, **parameters: object) -> object:
    return litellm.completion(
        model="mini-agent", messages=HI, api_base=server.url, **LOCAL, **parameters
    )


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"n": 2}, "n is not available"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"temprature": 0.5}, "did you mean temperature?"),
        ({"max_iteration": 3}, "did you mean max_iterations?"),
        ({"extra_body": {"mood": "good"}}, "there is no parameter 'mood'"),
    ],
)
def test_what_a_run_cannot_do_is_a_400_or_dropped(
    litellm: ModuleType, parameters: dict[str, object], said: str
) -> None:
    with ScriptedServer(["42"]) as server:
        with pytest.raises(litellm.BadRequestError) as refused:
            completion(litellm, server, **parameters)
        answer = completion(litellm, server, drop_params=True, **parameters)
    assert refused.value.status_code == 400
    assert said in str(refused.value)
    assert answer.choices[0].message.content == "42"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reasoning_effort", "low"),
        ("thinking", {"type": "enabled", "budget_tokens": 100}),
        ("logit_bias", {"1": 2}),
        ("top_k", 3),
    ],
)
def test_a_parameter_of_the_model_reaches_the_run(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    seen: list[object] = []
    handler = litellm.custom_provider_map[-1]["custom_handler"]
    monkeypatch.setattr(
        handler, "completion", lambda **given: seen.append(given["optional_params"][name])
    )
    litellm.completion(model="mini-agent", messages=HI, **LOCAL, **{name: value})
    assert seen == [value]
    run = parse_provider_call(
        LiteLLMCall("default", HI, {"target_model": "a/b", name: value}), Settings()
    )
    assert run.request.completion_kwargs == {name: value}


@pytest.mark.parametrize("harmless", [{"n": 1}, {"user": "me"}, {"extra_body": {"seed": 1}}])
def test_what_changes_nothing_is_accepted(litellm: ModuleType, harmless: dict[str, object]) -> None:
    with ScriptedServer(["42"]) as server:
        answer = completion(litellm, server, **harmless)
    assert answer.choices[0].finish_reason == "stop"  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", ["gpt-4o", "ollama/qwen3", "openai/org/name"])
def test_what_follows_the_providers_name_is_the_target(model: str) -> None:
    assert parse_provider_call(LiteLLMCall(model, HI, {}), Settings()).request.model == model


async def test_a_call_of_the_callers_tool_is_handed_back(litellm: ModuleType) -> None:
    with ScriptedServer([call("get_weather", city="Oslo"), "4 degrees."]) as server:
        first = completion(litellm, server, tools=[WEATHER])
        message = first.choices[0].message  # type: ignore[attr-defined]
        (asked,) = message.tool_calls
        result = {"role": "tool", "tool_call_id": asked.id, "content": "4"}
        second = litellm.completion(
            model="mini-agent",
            messages=[*HI, message, result],
            tools=[WEATHER],
            api_base=server.url,
            **LOCAL,
        )
    assert first.choices[0].finish_reason == "tool_calls"  # type: ignore[attr-defined]
    assert (asked.function.name, message.content) == ("get_weather", None)
    assert second.choices[0].message.content == "4 degrees."


async def test_a_streamed_call_of_the_callers_tool_can_be_put_together(litellm: ModuleType) -> None:
    with ScriptedServer([call("get_weather", city="Oslo")]) as server:
        chunks = list(completion(litellm, server, tools=[WEATHER], stream=True))  # type: ignore[call-overload]
    whole = litellm.stream_chunk_builder(chunks, messages=HI)
    assert whole.choices[0].message.tool_calls[0].function.arguments == '{"city": "Oslo"}'
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
