"""What LiteLLM raises, as sentences: each fault of a real server is told in one way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from mini_agent.errors import ContextTooLong, ModelError, ModelUnavailable, NoToolSupport
from mini_agent.messages import user
from mini_agent.model import ModelRequest
from mini_agent.models.direct import ChatModel
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.testing import (
    ScriptedServer,
    empty_choices,
    garbage,
    half_closed,
    no_tools,
    not_pulled,
    refusal,
    server_error,
)
from mini_agent.testing.replies import ScriptedReply
from mini_agent.tools.catalog import EXEC_PYTHON

pytestmark = pytest.mark.usefixtures("_closing")


# The two ways to a server, which nobody should be able to tell apart.
ASKED: list[type[LiteLLMModel | ChatModel]] = []


@pytest.fixture(autouse=True, params=[LiteLLMModel, ChatModel])
def _asked(request: pytest.FixtureRequest) -> Iterator[None]:
    ASKED[:] = [request.param]
    yield
    ASKED.clear()


async def error_of(model: str, **options: str) -> ModelError:
    request = ModelRequest(model, [user("hi")], [EXEC_PYTHON], timeout_s=60, options=options)
    with pytest.raises(ModelError) as raised:
        await ASKED[-1]().reply(request)
    return raised.value


async def error_from(model: str, reply: ScriptedReply, **options: str) -> ModelError:
    with ScriptedServer([reply]) as server:
        base = server.url if model.startswith("ollama") else server.openai_url
        return await error_of(model, api_base=base, **options)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


async def test_a_model_that_is_not_pulled_is_told_with_the_command_that_pulls_it() -> None:
    error = await error_from("ollama/qwen2.5-coder:3b", not_pulled("qwen2.5-coder:3b"))
    assert "does not have the model qwen2.5-coder:3b" in error.message
    assert "ollama pull qwen2.5-coder:3b" in error.hint
    assert "docker exec ollama ollama pull qwen2.5-coder:3b" in error.hint


async def test_a_name_with_slashes_stays_whole() -> None:
    error = await error_from("ollama/hf.co/some/model:q4", not_pulled("x"))
    assert "`ollama pull hf.co/some/model:q4" in f"`{error.hint}"


@pytest.mark.parametrize("model", ["ollama/m", "ollama_chat/m", "llamafile/m", "openai/m"])
async def test_a_refused_connection_names_the_address(model: str, closed_port: int) -> None:
    address = f"http://127.0.0.1:{closed_port}"
    error = await error_of(model, api_base=address, api_key="k")
    assert error.message == f"no model server answers at {address}"
    assert error.hint


async def test_an_ollama_that_is_not_there_is_told_with_what_starts_it(closed_port: int) -> None:
    error = await error_of("ollama/m", api_base=f"http://127.0.0.1:{closed_port}")
    assert "ollama serve" in error.hint
    assert "make up" in error.hint
    assert "OLLAMA_API_BASE" in error.hint


async def test_a_host_without_an_address_is_not_reachable() -> None:
    error = await error_of("ollama/m", api_base="http://nobody.invalid:1")
    assert error.message == "no model server answers at http://nobody.invalid:1"


async def test_a_missing_key_names_the_variable() -> None:
    error = await error_of("openai/gpt-4o")
    assert "OPENAI_API_KEY" in error.hint
    error = await error_of("anthropic/claude-sonnet-4-5")
    assert "ANTHROPIC_API_KEY" in error.hint


async def test_a_wrong_key_is_not_repeated() -> None:
    said = refusal(401, "Incorrect API key provided: sk-very-secret")
    error = await error_from("openai/m", said, api_key="sk-very-secret")
    assert "did not accept the key for openai/m" in error.message
    assert "OPENAI_API_KEY" in error.hint
    assert "sk-very-secret" not in str(error)


async def test_a_model_without_tools_is_told_so() -> None:
    error = await error_from("ollama/m", no_tools("m"))
    assert "ollama/m cannot call tools" in error.message


async def test_a_conversation_that_is_too_long_is_told_with_what_makes_it_shorter() -> None:
    said = refusal(400, "the request exceeds the available context size, try increasing it")
    error = await error_from("llamafile/m", said)
    assert "longer than the context of llamafile/m" in error.message
    assert "num_ctx" in error.hint


async def test_a_runner_that_died_points_to_memory() -> None:
    error = await error_from("ollama/m", server_error())
    assert "llama runner process has terminated" in error.message
    assert "memory" in error.hint


@pytest.mark.parametrize("model", ["ollama/m", "llamafile/m"])
@pytest.mark.parametrize(
    "reply", [garbage(), empty_choices(), half_closed("half"), garbage("{}"), garbage("")]
)
async def test_what_is_no_completion_is_one_sentence(model: str, reply: ScriptedReply) -> None:
    error = await error_from(model, reply)
    assert "\n" not in error.message
    assert "Traceback" not in error.message


async def test_a_server_that_is_busy_may_be_asked_again_later() -> None:
    error = await error_from("llamafile/m", refusal(503, "Loading model"))
    assert error.message == "llamafile cannot take llamafile/m right now: Loading model"


async def test_a_model_without_a_provider_is_told_how_to_write_one() -> None:
    error = await error_of("gpt-nothing")
    assert "'gpt-nothing' does not say which provider" in error.message
    assert "provider/model" in error.hint


async def test_an_unknown_model_elsewhere_is_told_by_name() -> None:
    error = await error_from("openai/m", refusal(404, "The model `m` does not exist"), api_key="k")
    assert error.message == "openai does not know the model m: The model `m` does not exist"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (server_error("kaput"), ModelUnavailable),
        (refusal(503, "Loading model"), ModelUnavailable),
        (refusal(429, "slow down"), ModelUnavailable),
        (empty_choices(), ModelUnavailable),
        (garbage(), ModelUnavailable),
        (refusal(400, "exceeds the available context size"), ContextTooLong),
        (no_tools("m"), NoToolSupport),
        (refusal(401, "no"), ModelError),
        (refusal(404, "no such model"), ModelError),
    ],
)
async def test_a_fault_is_of_the_kind_that_says_what_may_help(
    reply: ScriptedReply, kind: type[ModelError]
) -> None:
    assert type(await error_from("openai/m", reply, api_key="k")) is kind


@pytest.mark.parametrize("model", ["ollama/m", "openai/m"])
@pytest.mark.parametrize(
    ("reply", "told", "hint", "retryable"),
    [
        (refusal(400, "top_p is too high"), "refused the request", "parameter", False),
        (refusal(400, "KeyError: 'message'"), "no chat completion", "api_base", True),
        (refusal(400, "exceeds the available context size"), "longer than", "num_ctx", False),
        (no_tools("m"), "cannot call tools", "take a model that can", False),
        (refusal(401, "who are you"), "did not accept the key", "_API_KEY", False),
        (refusal(402, "no credit"), "wants to be paid", "account", False),
        (refusal(403, "forbidden"), "did not accept the key", "_API_KEY", False),
        (refusal(404, "model 'm' not found"), "the model m", "m", False),
        (refusal(404, "404 page not found"), "has no chat completions there", "api_base", False),
        (refusal(405, "method not allowed"), "has no chat completions there", "api_base", False),
        (refusal(408, "too slow"), "gave up on", "try again", True),
        (refusal(413, "too large"), "longer than", "max_history_messages", False),
        (refusal(422, "bad field"), "refused the request", "parameter", False),
        (refusal(429, "slow down"), "right now: slow down", "try again", True),
        (refusal(500, "boom"), "failed on", "log", True),
        (refusal(500, "llama runner process has terminated"), "could not run", "memory", True),
        (refusal(500, "CUDA error: out of memory"), "could not run", "memory", True),
        (refusal(502, "bad gateway"), "failed on", "log", True),
        (refusal(503, "Loading model"), "right now: Loading model", "try again", True),
        (refusal(504, "gateway timeout"), "gave up on", "try again", True),
        (garbage('{"error": "kaput"}'), "no chat completion", "api_base", True),
        (garbage("<html>\n<body>Sign in"), "no chat completion", "api_base", True),
    ],
)
async def test_every_fault_is_one_line_that_says_what_to_do(
    model: str, reply: ScriptedReply, told: str, hint: str, *, retryable: bool
) -> None:
    error = await error_from(model, reply, api_key="a-secret-key")
    assert told in error.message
    assert hint in error.hint
    assert error.retryable is retryable
    assert "\n" not in str(error)
    assert "Error:" not in str(error).replace("KeyError:", "")
    assert "a-secret-key" not in str(error)


@pytest.mark.parametrize(
    ("model", "api_base"),
    [
        ("openai/m", "127.0.0.1:8080/v1"),
        ("openai/m", "nonsense"),
        ("openai/m", "http://["),
        ("ollama/m", "http://["),
        ("ollama/m", "box:port"),
    ],
)
async def test_what_is_no_address_is_told_with_how_one_is_written(
    model: str, api_base: str
) -> None:
    error = await error_of(model, api_base=api_base, api_key="k")
    assert repr(api_base) in error.message
    assert "http://host:port" in error.hint
    assert not error.retryable


@pytest.mark.parametrize("path", ["", "/", "/v1", "/api/", "/api/chat"])
async def test_ollama_is_found_however_its_address_ends(path: str) -> None:
    with ScriptedServer(["hey"]) as server:
        request = ModelRequest(
            "ollama/m", [user("hi")], [], timeout_s=60, options={"api_base": server.url + path}
        )
        assert (await ASKED[-1]().reply(request)).text == "hey"


@pytest.mark.parametrize("model", ["ollama/m", "openai/m"])
async def test_a_server_without_tls_is_told_as_such(model: str) -> None:
    async def plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plainly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        error = await error_of(model, api_base=f"https://127.0.0.1:{port}", api_key="k")
    assert f"https://127.0.0.1:{port}" in error.message
    assert "TLS" in error.hint
    assert "object at" not in str(error)


async def test_nothing_is_printed_beside_the_error(capfd: pytest.CaptureFixture[str]) -> None:
    await error_from("ollama/m", server_error())
    await error_of("gpt-nothing")
    assert capfd.readouterr() == ("", "")
