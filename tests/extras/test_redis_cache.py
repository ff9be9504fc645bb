"""Answers kept in a real Redis: given again for the same question, missed by no run."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from mini_agent import AgentConfig, AgentResult, LocalMCPInvoker, run_mcp_mini_agent
from mini_agent.errors import ModelUnavailable, NotConfigured
from mini_agent.messages import user
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.models.cache import CachedModel, create_litellm_model
from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.replies import ScriptedReply
from mini_agent.testing.scripted import ScriptedModel, text_reply
from tests.extras.redis_here import redis_server

COMPUTES: list[ScriptedReply | str] = [call("exec_python", code="print(6 * 7)"), "It is 42."]


@pytest.fixture(scope="module")
def kept_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def url(kept_at: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty Redis, named by the one setting there is."""
    with redis.Redis.from_url(kept_at) as client:
        client.flushall()
    monkeypatch.setenv("MINI_AGENT_REDIS_URL", kept_at)
    return kept_at


def run(server: ScriptedServer, prompt: str = "What is 6 * 7?", **fields: object) -> AgentResult:
    config = AgentConfig.model_validate(
        {"model": "ollama/any", "completion_kwargs": {"api_base": server.url}, **fields}
    )
    return run_mcp_mini_agent([user(prompt)], LocalMCPInvoker(), config)


@pytest.mark.usefixtures("url")
def test_the_same_run_asks_the_model_nothing_the_second_time() -> None:
    with ScriptedServer(COMPUTES) as server:
        first, second = run(server), run(server)
    assert (first.final_answer, second.final_answer) == ("It is 42.", "It is 42.")
    assert (first.usage.total_tokens, second.usage.total_tokens) == (60, 0)
    assert [call.stdout for call in second.iterations[0].tool_invocations] == ["42\n"]


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    "other",
    [{"prompt": "What is 7 * 6?"}, {"num_ctx": 1024}, {"temperature": 0.5}, {"use_tools": False}],
)
def test_another_question_is_asked(other: dict[str, object]) -> None:
    with ScriptedServer(["one", "two"]) as server:
        assert run(server).final_answer == "one"
        assert run(server, **other).final_answer == "two"  # type: ignore[arg-type]  # any field


@pytest.mark.usefixtures("url")
def test_another_server_of_the_same_name_is_asked() -> None:
    with ScriptedServer(["one"]) as here, ScriptedServer(["two"]) as there:
        assert (run(here).final_answer, run(there).final_answer) == ("one", "two")


@pytest.mark.usefixtures("_closing")
@pytest.mark.parametrize("useless", [text_reply(" "), text_reply("And so", finish_reason="length")])
async def test_what_is_no_answer_is_not_kept(url: str, useless: ModelReply) -> None:
    with ScriptedModel(useless, text_reply("It is 42.")) as model:
        asking = CachedModel(model, url)
        assert await asking.reply(question()) == useless
        assert (await asking.reply(question())).text == "It is 42."


@pytest.mark.usefixtures("_closing")
async def test_a_failure_is_not_kept(url: str) -> None:
    with ScriptedModel(ModelUnavailable("busy"), text_reply("It is 42.")) as model:
        asking = CachedModel(model, url)
        with pytest.raises(ModelUnavailable):
            await asking.reply(question())
        assert (await asking.reply(question())).text == "It is 42."


def test_it_is_kept_for_a_day(url: str) -> None:
    with ScriptedServer(["one"]) as server:
        run(server)
    with redis.Redis.from_url(url, decode_responses=True) as client:
        (key,) = client.keys()
        left = client.ttl(key)
    assert key.startswith("mini-agent:")
    assert 86_000 < int(str(left)) <= 86_400


def test_what_another_wrote_there_is_not_taken_for_an_answer(url: str) -> None:
    with ScriptedServer(["one", "one"]) as server:
        run(server)
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter():
                client.set(key, '{"text": 7, "tool_calls": "rm"}')
        assert run(server).final_answer == "one"


def test_litellm_itself_is_left_without_a_cache(url: str) -> None:
    with ScriptedServer(["one"]) as server:
        run(server)
    assert url
    assert sys.modules["litellm"].cache is None


@pytest.mark.usefixtures("_closing")
async def test_a_redis_that_went_away_costs_no_answer(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, ScriptedModel(text_reply("one")) as model:
        assert (await CachedModel(model, url).reply(question())).text == "one"
    with ScriptedModel(text_reply("two")) as model:
        assert (await CachedModel(model, url).reply(question())).text == "two"


@pytest.mark.usefixtures("_closing")
async def test_a_redis_that_never_answers_costs_moments_and_no_answer() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        ScriptedModel(text_reply("one")) as model,
    ):
        asking = CachedModel(model, f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        started = time.monotonic()
        assert (await asking.reply(question())).text == "one"
    assert time.monotonic() - started < 30


def question() -> ModelRequest:
    return ModelRequest("any", [user("Well?")], [], timeout_s=60)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:6379", "127.0.0.1:6379", "redis://:secret@host:port/0"]
)
def test_an_address_of_something_else_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(NotConfigured, match="MINI_AGENT_REDIS_URL is no address") as refused:
        create_litellm_model("", url)
    assert "secret" not in str(refused.value)
    assert "redis://HOST:6379/0" in refused.value.hint


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(NotConfigured, match=r"pip install 'mini-agent\[redis_cache\]'"):
        create_litellm_model("", "redis://127.0.0.1:6379/0")
