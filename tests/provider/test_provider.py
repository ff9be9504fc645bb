"""The provider `mini-agent`, through LiteLLM's own doors, against a scripted model."""

from __future__ import annotations

import asyncio
import time
from types import ModuleType

import pytest

from mini_agent.testing import ScriptedServer, Tokens, call, hang, text
from mini_agent.testing.replies import ScriptedReply
from tests.agent.checked_run import wait_until

HI = [{"role": "user", "content": "What is 6 * 7? Use Python."}]
COMPUTES = call("exec_python", code="print(6 * 7)")
SIX_TIMES_SEVEN: list[ScriptedReply | str] = [COMPUTES, "It is 42."]
LOCAL = {"tool_backend": "local", "target_model": "ollama/m"}

pytestmark = pytest.mark.usefixtures("_closing")


def test_a_completion_is_a_whole_run(litellm: ModuleType) -> None:
    tokens = Tokens(prompt=30, completion=4)
    with ScriptedServer([COMPUTES, text("It is 42.", tokens=tokens)]) as server:
        response = litellm.completion(
            model="mini-agent/default", messages=HI, api_base=server.url, **LOCAL
        )
    assert response.choices[0].message.content == "It is 42."
    assert response.choices[0].finish_reason == "stop"
    assert response.usage.prompt_tokens == 50
    assert response.usage.total_tokens == response.usage.completion_tokens + 50
    assert response.model == "ollama/m"


async def test_an_acompletion_is_a_whole_run(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        response = await litellm.acompletion(
            model="mini-agent/default", messages=HI, api_base=server.url, **LOCAL
        )
    assert response.choices[0].message.content == "It is 42."


async def test_a_completion_works_inside_a_running_loop(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        response = litellm.completion(
            model="mini-agent/default", messages=HI, api_base=server.url, **LOCAL
        )
    assert response.choices[0].message.content == "It is 42."


def test_what_happened_comes_with_the_answer(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        response = litellm.completion(
            model="mini-agent/default", messages=HI, api_base=server.url, **LOCAL
        )
    told = response.mini_agent
    assert (told["stopped_reason"], told["answer_source"]) == ("success", "model")
    assert told["metrics"]["iterations"] == len(told["iterations"]) == 2
    assert told["last_tool_invocation"]["stdout"] == "42\n"
    assert [each["role"] for each in told["conversation"]][-3:] == [
        "assistant",
        "tool",
        "assistant",
    ]
    (called,) = told["parsed_tools"]
    assert (called["name"], called["iteration"], called["rc"]) == ("exec_python", 1, 0)
    assert called["arguments"] == {"code": "print(6 * 7)"}
    assert response._hidden_params["mini_agent"] == told
    assert response.model_dump()["mini_agent"] == told


def test_the_target_can_stand_in_the_models_name(litellm: ModuleType) -> None:
    with ScriptedServer(["hey"]) as server:
        response = litellm.completion(
            model="mini-agent/ollama/m", messages=HI, api_base=server.url, tool_backend="local"
        )
    assert response.model == "ollama/m"


def test_the_target_can_come_from_the_environment(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(["hey"]) as server:
        monkeypatch.setenv("LITELLM_DEFAULT_CODE_MODEL", "ollama/coder")
        monkeypatch.setenv("OLLAMA_API_BASE", server.url)
        litellm.completion(model="mini-agent/default", messages=HI, tool_backend="local")
    assert server.requests[0].model == "coder"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("LITELLM_MINI_AGENT_MAX_ITERATIONS", "1", "max_iterations"),
        ("LITELLM_MINI_AGENT_MAX_SECONDS", "0.5", "budget"),
    ],
)
def test_the_environment_bounds_a_run_that_the_call_does_not(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("LITELLM_MINI_AGENT_TOOL_BACKEND", "local")
    slow = call("exec_python", code="import time; time.sleep(1)")
    with ScriptedServer([slow], repeat_last=True) as server:
        response = litellm.completion(
            model="mini-agent", messages=HI, api_base=server.url, target_model="ollama/m"
        )
    assert response.mini_agent["stopped_reason"] == reason


def test_the_call_counts_before_the_environment(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_MINI_AGENT_MAX_ITERATIONS", "1")
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        response = litellm.completion(
            model="mini-agent", messages=HI, api_base=server.url, max_iterations=4, **LOCAL
        )
    assert response.mini_agent["stopped_reason"] == "success"


@pytest.mark.parametrize("name", ["target_model", "mini_agent_target", "mini_agent_model"])
def test_parameters_are_read_from_a_nested_litellm_params_too(
    litellm: ModuleType, name: str
) -> None:
    with ScriptedServer(["hey"]) as server:
        litellm.completion(
            model="mini-agent/default",
            messages=HI,
            api_base=server.url,
            tool_backend="local",
            litellm_params={name: "ollama/nested", "allowed_languages": "python"},
        )
    assert server.requests[0].model == "nested"


def test_parameters_of_the_model_reach_it(litellm: ModuleType) -> None:
    with ScriptedServer(["hey"]) as server:
        litellm.completion(
            model="mini-agent/default",
            messages=HI,
            api_base=server.url,
            temperature=0.25,
            seed=3,
            max_tokens=9,
            top_p=0.5,
            num_ctx=2048,
            **LOCAL,
        )
    assert server.requests[0].options == {
        "temperature": 0.25,
        "seed": 3,
        "num_predict": 9,
        "top_p": 0.5,
        "num_ctx": 2048,
    }


def test_what_litellm_adds_of_its_own_is_ignored(litellm: ModuleType) -> None:
    with ScriptedServer(["hey"]) as server:
        response = litellm.completion(
            model="mini-agent/default",
            messages=HI,
            api_base=server.url,
            metadata={"team": "x"},
            user="someone",
            litellm_something_new=1,
            max_retries=3,
            **LOCAL,
        )
    assert response.choices[0].message.content == "hey"


def test_languages_that_are_not_allowed_have_no_tools(litellm: ModuleType) -> None:
    with ScriptedServer(["hey"]) as server:
        litellm.completion(
            model="mini-agent/default",
            messages=HI,
            api_base=server.url,
            allowed_languages="go",
            **LOCAL,
        )
    offered = [tool["function"]["name"] for tool in server.requests[0].tools]  # type: ignore[call-overload, index]
    assert "exec_python" not in offered


def test_an_answer_of_litellm_can_be_part_of_the_next_conversation(litellm: ModuleType) -> None:
    with ScriptedServer(["one", "two"]) as server:
        first = litellm.completion(
            model="mini-agent/default", messages=HI, api_base=server.url, **LOCAL
        )
        litellm.completion(
            model="mini-agent/default",
            messages=[*HI, first.choices[0].message, {"role": "user", "content": "and now?"}],
            api_base=server.url,
            **LOCAL,
        )
    assert [each["content"] for each in server.requests[1].messages][-2:] == ["one", "and now?"]


def test_a_run_that_stopped_early_is_an_answer(litellm: ModuleType) -> None:
    with ScriptedServer([hang()]) as server:
        started = time.monotonic()
        response = litellm.completion(
            model="mini-agent/default", messages=HI, api_base=server.url, max_seconds=0.5, **LOCAL
        )
    assert response.mini_agent["stopped_reason"] == "budget"
    assert response.choices[0].message.content.strip()
    assert response.choices[0].finish_reason == "length"
    assert time.monotonic() - started < 20


def test_a_timeout_of_the_call_bounds_the_run(litellm: ModuleType) -> None:
    with ScriptedServer([hang()]) as server:
        response = litellm.completion(
            model="mini-agent/default", messages=HI, api_base=server.url, timeout=0.5, **LOCAL
        )
    assert response.mini_agent["stopped_reason"] == "budget"


async def test_cancelling_an_acompletion_cancels_the_run(litellm: ModuleType) -> None:
    with ScriptedServer([hang()]) as server:
        running = asyncio.create_task(
            litellm.acompletion(
                model="mini-agent/default", messages=HI, api_base=server.url, **LOCAL
            )
        )
        await wait_until(lambda: server.requests)
        started = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - started < 10
