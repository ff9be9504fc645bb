"""What the provider refuses, in words, and where it lets snippets run."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from mini_agent.agent.tool_backends import UnsandboxedWarning
from mini_agent.cli.demo import run_through_litellm
from mini_agent.errors import ShimUnavailable
from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.replies import ScriptedReply
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.provider.engine import container, engine_with
from tests.shim.scripted import ScriptedSidecar
from tests.shim.serving import serve_app

HI = [{"role": "user", "content": "What is 6 * 7? Use Python."}]
COMPUTES = call("exec_python", code="print(6 * 7)")
SIX_TIMES_SEVEN: list[ScriptedReply | str] = [COMPUTES, "It is 42."]
LOCAL = {"tool_backend": "local", "target_model": "ollama/m"}

pytestmark = pytest.mark.usefixtures("_closing")


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
    with ScriptedServer(["hey"]) as server, pytest.warns(UnsandboxedWarning, match="not a sandbox"):
        litellm.completion(
            model="mini-agent/default",
            messages=HI,
            api_base=server.url,
            target_model="ollama/m",
        )


def test_with_a_sidecar_named_snippets_run_there(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar = ScriptedSidecar(prints="forty-two\n")
    with ScriptedServer(SIX_TIMES_SEVEN) as server, serve_app(sidecar.app()) as url:
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


@pytest.fixture
def sidecar_of_the_container(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedSidecar]:
    """The sidecar behind a shim in a container that the environment names."""
    sidecar = ScriptedSidecar()
    with ScriptedServer(SIX_TIMES_SEVEN) as server, serve_app(sidecar.app()) as sidecar_url:
        settings = ShimSettings.model_validate(
            {"sidecar_url": sidecar_url, "sidecar_token": "token", "ollama_api_base": server.url}
        )
        with serve_app(create_app(settings)) as shim_url:
            port = shim_url.rpartition(":")[2]
            engine = engine_with("the-shim", container(published=("127.0.0.1", port)))
            with serve_app(engine) as engine_url:
                monkeypatch.setenv("DOCKER_HOST", engine_url.replace("http:", "tcp:"))
                monkeypatch.setenv("LITELLM_MINI_AGENT_DOCKER_CONTAINER", "the-shim")
                yield sidecar


def test_with_a_container_named_the_whole_run_is_done_there(
    litellm: ModuleType, sidecar_of_the_container: ScriptedSidecar
) -> None:
    result = run_through_litellm("6 * 7?", target_model="ollama/m")
    assert (result.final_answer, result.stopped_reason) == ("It is 42.", "success")
    assert len(sidecar_of_the_container.snippets) == 1


async def test_a_run_that_is_done_there_streams_from_there(
    litellm: ModuleType, sidecar_of_the_container: ScriptedSidecar
) -> None:
    stream = await litellm.acompletion(
        model="mini-agent/ollama/m", messages=HI, stream=True, stream_progress=True
    )
    deltas = [chunk.choices[0].delta async for chunk in stream]
    assert "".join(delta.content or "" for delta in deltas) == "It is 42."
    thoughts = [getattr(delta, "reasoning_content", None) for delta in deltas]
    assert "exec_python: print(6 * 7)\n" in thoughts
    assert len(sidecar_of_the_container.snippets) == 1


def test_a_shim_that_is_not_there_is_an_error_that_says_what_to_start(
    litellm: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve_app(engine_with("another", container())) as engine_url:
        monkeypatch.setenv("DOCKER_HOST", engine_url.replace("http:", "tcp:"))
        monkeypatch.setenv("LITELLM_MINI_AGENT_DOCKER_CONTAINER", "the-shim")
        with pytest.raises(litellm.ServiceUnavailableError, match="make up"):
            litellm.completion(model="mini-agent/default", messages=HI, target_model="ollama/m")
        with pytest.raises(ShimUnavailable, match="no container named"):
            run_through_litellm("hi", target_model="ollama/m")


@pytest.mark.parametrize("name", ["stream_progress", "mini_agent_progress"])
def test_progress_is_asked_for_with_true_or_false(litellm: ModuleType, name: str) -> None:
    with pytest.raises(litellm.BadRequestError, match=f"{name}: must be true or false, not 'a lot"):
        litellm.completion(
            model="mini-agent/x", messages=HI, stream=True, **LOCAL, **{name: "a lot"}
        )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LITELLM_MINI_AGENT_MAX_ITERATIONS", "many"),
        ("LITELLM_MINI_AGENT_MAX_SECONDS", "soon"),
        ("LITELLM_MINI_AGENT_TOOL_BACKEND", "cloud"),
        ("LITELLM_MINI_AGENT_LANGUAGES", "cobol"),
    ],
)
def test_a_variable_that_cannot_be_is_a_400_that_names_it(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(litellm.BadRequestError, match=variable):
        litellm.completion(model="mini-agent/x", messages=HI, target_model="ollama/m")
