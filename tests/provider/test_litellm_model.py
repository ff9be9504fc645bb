"""The model behind LiteLLM, against a scripted server in both wire formats."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from mini_agent.errors import ModelError
from mini_agent.messages import user
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.models.direct import ChatModel
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.testing import (
    Call,
    ScriptedServer,
    Tokens,
    call,
    calls,
    drip,
    hang,
    refusal,
    server_error,
    text,
)
from mini_agent.testing.replies import ScriptedReply
from mini_agent.tools.catalog import EXEC_PYTHON
from mini_agent.tools.invoker import Tool
from tests.agent.checked_run import wait_until

pytestmark = pytest.mark.usefixtures("_closing")


# The two ways to a server, which nobody should be able to tell apart.
ASKED: list[type[LiteLLMModel | ChatModel]] = []


@pytest.fixture(autouse=True, params=[LiteLLMModel, ChatModel])
def _asked(request: pytest.FixtureRequest) -> Iterator[None]:
    ASKED[:] = [request.param]
    yield
    ASKED.clear()


async def reply(
    model: str,
    api_base: str,
    *,
    tools: tuple[Tool, ...] = (),
    timeout_s: float = 60.0,
    temperature: float | None = None,
    num_ctx: int | None = None,
    **options: str | int,
) -> ModelReply:
    request = ModelRequest(
        model=model,
        messages=[user("hi")],
        tools=list(tools),
        timeout_s=timeout_s,
        temperature=temperature,
        num_ctx=num_ctx,
        options={"api_base": api_base, **options},
    )
    return await ASKED[-1]().reply(request)


async def test_an_ollama_model_is_asked_over_the_chat_route_with_an_explicit_context() -> None:
    with ScriptedServer([text("hey", tokens=Tokens(prompt=7, completion=3))]) as server:
        answer = await reply("ollama/m", server.url, temperature=0.5, seed=3, max_tokens=9)
    (asked,) = server.requests
    assert asked.path == "/api/chat"
    assert asked.options == {"num_ctx": 8192, "temperature": 0.5, "seed": 3, "num_predict": 9}
    assert (answer.text, answer.finish_reason, answer.model) == ("hey", "stop", "ollama/m")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)


async def test_num_ctx_of_the_run_replaces_the_default() -> None:
    with ScriptedServer(["hey"]) as server:
        await reply("ollama/m", server.url, num_ctx=4096)
    assert server.requests[0].options["num_ctx"] == 4096


async def test_no_tools_means_no_tools_field_at_all() -> None:
    with ScriptedServer(["hey"]) as server:
        await reply("llamafile/m", server.openai_url)
    assert "tools" not in server.requests[0].body


async def test_a_server_that_is_not_ollama_is_not_sent_num_ctx() -> None:
    with ScriptedServer(["hey"]) as server:
        await reply("llamafile/m", server.openai_url, num_ctx=4096)
    assert "num_ctx" not in server.requests[0].body


@pytest.mark.parametrize("model", ["ollama/m", "llamafile/m"])
async def test_native_tool_calls_come_back_with_their_arguments_as_text(model: str) -> None:
    with ScriptedServer([call("exec_python", code="print(1)")]) as server:
        base = server.url if model.startswith("ollama") else server.openai_url
        answer = await reply(model, base, tools=(EXEC_PYTHON,))
    (made,) = answer.tool_calls
    assert (made.name, made.arguments) == ("exec_python", '{"code": "print(1)"}')
    assert made.id
    assert answer.finish_reason == "tool_calls"
    assert server.requests[0].tools == [EXEC_PYTHON]


async def test_cut_arguments_come_back_as_they_are() -> None:
    with ScriptedServer([calls(Call("exec_python", '{"code": "pri'))]) as server:
        answer = await reply("openai/m", server.openai_url, api_key="k", tools=(EXEC_PYTHON,))
    assert answer.tool_calls[0].arguments == '{"code": "pri'


@pytest.mark.parametrize("model", ["ollama/m", "llamafile/m"])
async def test_reasoning_is_kept_apart_from_the_text(model: str) -> None:
    with ScriptedServer([text("hey", reasoning="hmm")]) as server:
        base = server.url if model.startswith("ollama") else server.openai_url
        answer = await reply(model, base)
    assert (answer.text, answer.reasoning) == ("hey", "hmm")


async def test_cached_tokens_are_counted_where_the_server_tells() -> None:
    tokens = Tokens(prompt=50, completion=5, cached=40)
    with ScriptedServer([text("hey", tokens=tokens)]) as server:
        answer = await reply("openai/m", server.openai_url, api_key="k")
    assert (answer.usage.cached_tokens, answer.usage.cost) == (40, 0.0)


async def test_the_key_goes_to_the_server() -> None:
    with ScriptedServer(["hey"]) as server:
        await reply("openai/m", server.openai_url, api_key="secret-key")
    assert server.requests[0].headers["authorization"] == "Bearer secret-key"


async def test_the_address_of_ollama_is_used_when_the_request_names_none() -> None:
    with ScriptedServer(["hey"]) as server:
        model = ASKED[-1](ollama_address=server.url)
        answer = await model.reply(ModelRequest("ollama/m", [user("hi")], [], timeout_s=60))
    assert answer.text == "hey"


async def test_the_messages_of_the_run_are_not_changed() -> None:
    messages = [user("hi")]
    with ScriptedServer(["hey"]) as server:
        model = ASKED[-1](ollama_address=server.url)
        await model.reply(ModelRequest("ollama/m", messages, [], timeout_s=60))
    assert messages == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("model", ["ollama/m", "llamafile/m"])
@pytest.mark.parametrize("slow", [hang(), drip("a long answer", every_s=6)])
async def test_a_model_that_is_too_slow_is_cut_at_the_deadline(model: str, slow: object) -> None:
    with ScriptedServer(lambda _: slow) as server:  # type: ignore[arg-type, return-value]
        base = server.url if model.startswith("ollama") else server.openai_url
        started = time.monotonic()
        with pytest.raises(ModelError, match=r"did not answer within 0\.7 s"):
            await reply(model, base, timeout_s=0.7)
        assert time.monotonic() - started < 15


async def test_cancelling_cuts_a_call_at_once() -> None:
    with ScriptedServer([hang()]) as server:
        waiting = asyncio.create_task(reply("ollama/m", server.url))
        await wait_until(lambda: server.requests)
        started = time.monotonic()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert time.monotonic() - started < 10


async def test_a_failing_model_is_asked_once() -> None:
    with ScriptedServer([server_error("kaput")]) as server:
        with pytest.raises(ModelError, match="kaput"):
            await reply("openai/m", server.openai_url, api_key="k")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "said", [server_error("kaput"), refusal(429, "slow"), refusal(503, "busy")]
)
@pytest.mark.parametrize("model", ["ollama/m", "openai/m"])
async def test_nobody_below_us_asks_again(model: str, said: ScriptedReply) -> None:
    with ScriptedServer(lambda _: said) as server:
        base = server.url if model.startswith("ollama") else server.openai_url
        with pytest.raises(ModelError):
            await reply(model, base, api_key="k")
        assert len(server.requests) == 1


@pytest.mark.parametrize("model", ["ollama/m", "openai/m"])
async def test_the_calls_of_all_runs_share_their_connections(model: str) -> None:
    with ScriptedServer(["hey"], repeat_last=True) as server:
        base = server.url if model.startswith("ollama") else server.openai_url
        for seconds in range(10, 20):
            await reply(model, base, api_key="k", timeout_s=seconds, seed=seconds)
        # Ollama is also asked, once, what the model is like.
        assert server.connections <= 2
