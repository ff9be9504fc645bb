"""Streams of the provider, through LiteLLM's own doors, against a scripted model."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel, JsonValue

from mini_agent.testing import ScriptedServer, call, hang, server_error
from mini_agent.testing.replies import ScriptedReply

HI = [{"role": "user", "content": "What is 6 * 7? Use Python."}]
COMPUTES = call("exec_python", code="print(6 * 7)")
SIX_TIMES_SEVEN: list[ScriptedReply | str] = [COMPUTES, "It is 42."]
LOCAL = {"model": "mini-agent", "messages": HI, "tool_backend": "local", "target_model": "ollama/m"}

pytestmark = pytest.mark.usefixtures("_closing")


class Delta(BaseModel):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None


class Choice(BaseModel):
    delta: Delta
    finish_reason: str | None = None


class Tokens(BaseModel):
    total_tokens: int


class Chunk(BaseModel):
    """A chunk as clients see it; the one with the usage has an empty delta."""

    id: str
    choices: list[Choice]
    usage: Tokens | None = None
    mini_agent: dict[str, JsonValue] | None = None


def streamed(litellm: ModuleType, server: ScriptedServer, **asked: object) -> list[Chunk]:
    stream = litellm.completion(stream=True, api_base=server.url, **LOCAL, **asked)
    return [Chunk.model_validate(chunk.model_dump()) for chunk in stream]


async def astreamed(litellm: ModuleType, server: ScriptedServer, **asked: object) -> list[Chunk]:
    stream = await litellm.acompletion(stream=True, api_base=server.url, **LOCAL, **asked)
    return [Chunk.model_validate(chunk.model_dump()) async for chunk in stream]


def said(chunks: list[Chunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def thought(chunks: list[Chunk]) -> str:
    return "".join(chunk.choices[0].delta.reasoning_content or "" for chunk in chunks)


def total(chunk: Chunk) -> int | None:
    return chunk.usage.total_tokens if chunk.usage else None


def test_the_answer_comes_in_pieces(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        chunks = streamed(litellm, server)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "It ", "is ", "42.", None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 4 + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1


async def test_the_answer_comes_in_pieces_asynchronously(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        chunks = await astreamed(litellm, server)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "It ", "is ", "42.", None]
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_a_stream_for_plain_code_works_inside_a_running_loop(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        assert said(streamed(litellm, server)) == "It is 42."


@pytest.mark.parametrize(
    "answer", ["  two\n\nlines  here\n", "ha " * 300, "x" * 20_000, "表 形 式 😀"]
)
def test_no_character_of_an_answer_is_lost(litellm: ModuleType, answer: str) -> None:
    with ScriptedServer([answer]) as server:
        assert said(streamed(litellm, server)).strip() == answer.strip()


def test_usage_comes_last_where_it_is_asked_for(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        chunks = streamed(litellm, server, stream_options={"include_usage": True})
    assert total(chunks[-1]) == 60
    assert chunks[-2].choices[0].finish_reason == "stop"


async def test_usage_comes_last_asynchronously_too(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        chunks = await astreamed(litellm, server, stream_options={"include_usage": True})
    assert total(chunks[-1]) == 60


async def test_usage_does_not_come_unasked(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        chunks = await astreamed(litellm, server)
    assert {total(chunk) for chunk in chunks} == {None}


async def test_what_happened_comes_with_the_last_piece_of_the_answer(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        chunks = await astreamed(litellm, server)
    assert [chunk.choices[0].delta.content for chunk in chunks if chunk.mini_agent] == ["42."]
    told = chunks[-2].mini_agent or {}
    assert (told["stopped_reason"], told["final_answer"]) == ("success", "It is 42.")


@pytest.mark.parametrize("name", ["stream_progress", "mini_agent_progress"])
def test_progress_comes_as_reasoning_where_it_is_asked_for(litellm: ModuleType, name: str) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        chunks = streamed(litellm, server, **{name: True})
    first, called, outcome, second = thought(chunks).splitlines()
    assert (first, called) == ("[1] asking ollama/m", "exec_python: print(6 * 7)")
    assert outcome.startswith("-> exec_python ended with rc 0 after ")
    assert second == "[2] asking ollama/m"
    assert said(chunks) == "It is 42."


def test_progress_does_not_come_unasked(litellm: ModuleType) -> None:
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        assert thought(streamed(litellm, server)) == ""


def test_progress_tells_what_was_put_right(litellm: ModuleType) -> None:
    repaired = call("python", script="print(6 * 7)")
    with ScriptedServer([repaired, "It is 42."]) as server:
        told = thought(streamed(litellm, server, stream_progress=True))
    assert "(understood: " in told


async def test_a_run_that_fails_is_a_stream_that_ends(litellm: ModuleType) -> None:
    with ScriptedServer([server_error("kaput"), server_error("kaput")]) as server:
        chunks = await astreamed(litellm, server)
    assert "kaput" in said(chunks)
    assert chunks[-1].choices[0].finish_reason == "length"


def test_a_parameter_that_cannot_be_is_refused_before_there_is_a_stream(
    litellm: ModuleType,
) -> None:
    with pytest.raises(litellm.BadRequestError, match="max_iterations"):
        litellm.completion(stream=True, max_iterations=0, **LOCAL)


async def test_and_so_it_is_asynchronously(litellm: ModuleType) -> None:
    with pytest.raises(litellm.BadRequestError, match="max_iterations"):
        await litellm.acompletion(stream=True, max_iterations=0, **LOCAL)


def test_messages_that_cannot_be_are_refused_with_their_place(litellm: ModuleType) -> None:
    wrong = {**LOCAL, "messages": [*HI, {"role": "nobody", "content": "x"}]}
    with pytest.raises(litellm.BadRequestError, match=r"messages\[1\]"):
        list(litellm.completion(stream=True, **wrong))


class Sleeper:
    """A snippet that leaves its process number behind and sleeps for a minute."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "pid"
        code = (
            f"import os, time\nprint(os.getpid(), file=open({str(self._file)!r}, 'w'), flush=True)"
        )
        self.call = call("exec_python", code=f"{code}\ntime.sleep(60)")

    def pid(self) -> int:
        until = time.monotonic() + 20
        while not (self._file.exists() and self._file.read_text()):
            assert time.monotonic() < until
            time.sleep(0.02)
        return int(self._file.read_text())

    def ends_within(self, seconds: float) -> bool:
        process, until = Path(f"/proc/{self.pid()}"), time.monotonic() + seconds
        while process.exists() and time.monotonic() < until:
            time.sleep(0.02)
        return not process.exists()


async def test_closing_a_stream_ends_the_run(litellm: ModuleType, tmp_path: Path) -> None:
    sleeper = Sleeper(tmp_path)
    with ScriptedServer([sleeper.call]) as server:
        stream = await litellm.acompletion(stream=True, api_base=server.url, **LOCAL)
        await anext(stream)
        waiting = asyncio.create_task(anext(stream))
        await asyncio.to_thread(sleeper.pid)
        waiting.cancel()
        await asyncio.wait({waiting})
        await stream.aclose()
        assert sleeper.ends_within(15)


def test_dropping_a_stream_ends_the_run(litellm: ModuleType, tmp_path: Path) -> None:
    sleeper = Sleeper(tmp_path)
    with warnings.catch_warnings(action="ignore"):
        gc.collect()  # of connections that LiteLLM kept for loops that are closed by now
    with ScriptedServer([sleeper.call]) as server:
        stream = litellm.completion(stream=True, api_base=server.url, **LOCAL)
        next(stream)
        sleeper.pid()
        del stream
        gc.collect()
        assert sleeper.ends_within(15)


async def test_a_router_streams_a_run_and_ends_it_when_it_is_closed(
    litellm: ModuleType, tmp_path: Path
) -> None:
    sleeper = Sleeper(tmp_path)
    with ScriptedServer([sleeper.call]) as server:
        deployment = {**LOCAL, "api_base": server.url}
        deployment.pop("messages")
        router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": deployment}])
        stream = await router.acompletion(model="a", messages=HI, stream=True)
        await anext(stream)
        await asyncio.to_thread(sleeper.pid)
        await stream.aclose()
        assert sleeper.ends_within(15)


def test_a_stream_that_hangs_ends_in_time_with_words(litellm: ModuleType) -> None:
    with ScriptedServer([hang()]) as server:
        started = time.monotonic()
        chunks = streamed(litellm, server, max_seconds=0.5)
    assert said(chunks).strip()
    assert time.monotonic() - started < 20
