"""The provider `mini-agent`, through LiteLLM's own doors, against a scripted model."""

from __future__ import annotations

import asyncio
import time
from types import ModuleType

import pytest

from mini_agent.backends import NotASandbox
from mini_agent.errors import ShimUnavailable
from mini_agent.litellm_provider import answer_through_litellm
from mini_agent.testing import ScriptedServer, Tokens, call, hang, server_error, text
from mini_agent.testing.replies import Scripted
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.provider.engine import container, engine_with
from tests.shim.scripted import Sidecar
from tests.shim.serving import served

HI = [{"role": "user", "content": "What is 6 * 7? Use Python."}]
COMPUTES = call("exec_python", code="print(6 * 7)")
SIX_TIMES_SEVEN: list[Scripted | str] = [COMPUTES, "It is 42."]
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
            something_new=1,
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
    assert response.choices[0].finish_reason == "stop"
    assert time.monotonic() - started < 3


def test_a_timeout_of_the_call_bounds_the_run(litellm: ModuleType) -> None:
    with ScriptedServer([hang()]) as server:
        response = litellm.completion(
            model="mini-agent/default", messages=HI, api_base=server.url, timeout=0.5, **LOCAL
        )
    assert response.mini_agent["stopped_reason"] == "budget"


async def test_the_router_does_not_repeat_a_run_that_failed(litellm: ModuleType) -> None:
    with ScriptedServer([server_error("kaput")]) as server:
        router = litellm.Router(
            model_list=[
                {
                    "model_name": "agent",
                    "litellm_params": {
                        "model": "mini-agent/default",
                        "api_base": server.url,
                        "max_iterations": 4,
                        **LOCAL,
                    },
                }
            ]
        )
        response = await router.acompletion(model="agent", messages=HI)
        assert len(server.requests) == 1
    assert response.mini_agent["stopped_reason"] == "error"
    assert "kaput" in response.mini_agent["error"]


async def test_cancelling_an_acompletion_cancels_the_run(litellm: ModuleType) -> None:
    with ScriptedServer([hang()]) as server:
        running = asyncio.create_task(
            litellm.acompletion(
                model="mini-agent/default", messages=HI, api_base=server.url, **LOCAL
            )
        )
        await asyncio.wait({running}, timeout=1)
        started = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_iterations", "many"),
        ("max_iterations", 0),
        ("max_seconds", -1),
        ("allowed_languages", "cobol"),
        ("tool_backend", "cloud"),
        ("tool_backend", "http"),
        ("tool_backend", "docker"),
        ("tool_backend", "sidecar"),
        ("target_model", "mini-agent/again"),
        ("target_model", 7),
        ("num_ctx", 1),
        ("completion_kwargs", {"tools": []}),
    ],
)
def test_a_parameter_that_cannot_be_is_a_400_that_names_it(
    litellm: ModuleType, name: str, value: object
) -> None:
    asked = {**LOCAL, name: value}
    with pytest.raises(litellm.BadRequestError) as raised:
        litellm.completion(model="mini-agent/default", messages=HI, **asked)
    assert raised.value.status_code == 400
    assert name in str(raised.value) or "'docker'" in str(raised.value)


def test_no_model_anywhere_is_a_400_that_names_the_variables(litellm: ModuleType) -> None:
    with pytest.raises(litellm.BadRequestError, match="target_model, or set LITELLM_DEFAULT_CODE"):
        litellm.completion(model="mini-agent/default", messages=HI, tool_backend="local")


def test_without_any_sandbox_it_runs_here_and_warns(litellm: ModuleType) -> None:
    with ScriptedServer(["hey"]) as server, pytest.warns(NotASandbox, match="not a sandbox"):
        litellm.completion(
            model="mini-agent/default",
            messages=HI,
            api_base=server.url,
            target_model="ollama/m",
        )


def test_with_a_sidecar_named_snippets_run_there(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar = Sidecar(prints="forty-two\n")
    with ScriptedServer(SIX_TIMES_SEVEN) as server, served(sidecar.app()) as url:
        monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", url)
        monkeypatch.setenv("MINI_AGENT_SIDECAR_TOKEN", sidecar.token)
        response = litellm.completion(
            model="mini-agent/default",
            messages=HI,
            api_base=server.url,
            target_model="ollama/m",
        )
    assert response.mini_agent["last_tool_invocation"]["stdout"] == "forty-two\n"
    assert [snippet.code for snippet in sidecar.snippets] == ["print(6 * 7)"]


def test_with_a_container_named_the_whole_run_is_done_there(
    litellm: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sidecar = Sidecar()
    with ScriptedServer(SIX_TIMES_SEVEN) as server, served(sidecar.app()) as sidecar_url:
        settings = ShimSettings.model_validate(
            {"sidecar_url": sidecar_url, "sidecar_token": "token", "ollama_api_base": server.url}
        )
        with served(create_app(settings)) as shim_url:
            port = shim_url.rpartition(":")[2]
            engine = engine_with("the-shim", container(published=("127.0.0.1", port)))
            with served(engine) as engine_url:
                monkeypatch.setenv("DOCKER_HOST", engine_url.replace("http:", "tcp:"))
                monkeypatch.setenv("LITELLM_MINI_AGENT_DOCKER_CONTAINER", "the-shim")
                result = answer_through_litellm("6 * 7?", target_model="ollama/m")
    assert (result.final_answer, result.stopped_reason) == ("It is 42.", "success")
    assert len(sidecar.snippets) == 1


def test_a_shim_that_is_not_there_is_an_error_that_says_what_to_start(
    litellm: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served(engine_with("another", container())) as engine_url:
        monkeypatch.setenv("DOCKER_HOST", engine_url.replace("http:", "tcp:"))
        monkeypatch.setenv("LITELLM_MINI_AGENT_DOCKER_CONTAINER", "the-shim")
        with pytest.raises(litellm.ServiceUnavailableError, match="make up"):
            litellm.completion(model="mini-agent/default", messages=HI, target_model="ollama/m")
        with pytest.raises(ShimUnavailable, match="no container named"):
            answer_through_litellm("hi", target_model="ollama/m")


def test_a_stream_is_refused_in_words(litellm: ModuleType) -> None:
    with pytest.raises(litellm.BadRequestError, match="answer comes whole"):
        list(litellm.completion(model="mini-agent/x", messages=HI, stream=True, **LOCAL))


async def test_an_asynchronous_stream_is_refused_in_words(litellm: ModuleType) -> None:
    with pytest.raises(litellm.BadRequestError, match="answer comes whole"):
        await litellm.acompletion(model="mini-agent/x", messages=HI, stream=True, **LOCAL)
