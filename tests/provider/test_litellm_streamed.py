"""A streamed answer is told as it comes, and is the same in the end as one that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mini_agent.errors import ModelError
from mini_agent.messages import user
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.models.direct import ChatModel
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.testing import Call, ScriptedServer, Tokens, calls, server_error, text
from mini_agent.tools.catalog import EXEC_PYTHON

pytestmark = [
    pytest.mark.usefixtures("_closing"),
    # LiteLLM looks at each attribute of a chunk, those that pydantic would rather not have as well.
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
]


# The two ways to a server, which nobody should be able to tell apart.
ASKED: list[type[LiteLLMModel | ChatModel]] = []


@pytest.fixture(autouse=True, params=[LiteLLMModel, ChatModel])
def _asked(request: pytest.FixtureRequest) -> Iterator[None]:
    ASKED[:] = [request.param]
    yield
    ASKED.clear()


async def reply(model: str, api_base: str, on_text: Callable[[str], None]) -> ModelReply:
    request = ModelRequest(
        model=model,
        messages=[user("hi")],
        tools=[EXEC_PYTHON],
        timeout_s=60.0,
        options={"api_base": api_base, "api_key": "k"},
    )
    return await ASKED[-1](on_text=on_text).reply(request)


async def test_the_pieces_are_the_answer() -> None:
    told: list[str] = []
    said = text("One two three four.", tokens=Tokens(prompt=7, completion=3, cached=5))
    with ScriptedServer([said]) as server:
        answer = await reply("openai/m", server.openai_url, told.append)
    assert len(told) > 1
    assert "".join(told) == answer.text == "One two three four."
    assert (answer.finish_reason, answer.usage.prompt_tokens) == ("stop", 7)
    assert (answer.usage.completion_tokens, answer.usage.cached_tokens) == (3, 5)
    assert server.requests[0].stream


async def test_calls_come_whole_and_in_order() -> None:
    two = calls(Call("exec_python", {"code": "1"}), Call("exec_python", {"code": "2"}))
    with ScriptedServer([two]) as server:
        answer = await reply("openai/m", server.openai_url, _unheard)
    assert [(each.name, each.arguments) for each in answer.tool_calls] == [
        ("exec_python", '{"code": "1"}'),
        ("exec_python", '{"code": "2"}'),
    ]
    assert answer.finish_reason == "tool_calls"


async def test_a_server_that_fails_is_the_same_error() -> None:
    with ScriptedServer([server_error()]) as server, pytest.raises(ModelError):
        await reply("openai/m", server.openai_url, _unheard)


async def test_ollama_is_not_streamed() -> None:
    with ScriptedServer(["hey"]) as server:
        answer = await reply("ollama/m", server.url, _unheard)
    assert answer.text == "hey"
    assert not server.requests[0].stream


def _unheard(piece: str) -> None:
    del piece
