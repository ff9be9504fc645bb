"""Faults of the model's server: one more try where it may help, within the run's time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import perf_counter

import httpx
import pytest

from mini_agent.config import AgentConfig
from mini_agent.errors import ModelError, ModelUnavailable, Unauthorized
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.models.litellm_errors import parse_retry_after
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.agent.checked_run import TASK, ScriptedInvoker, run_agent

CONFIG = AgentConfig(model="m")
DOWN = ModelUnavailable("it is down")


async def test_a_server_that_fails_once_is_asked_once_more() -> None:
    with ScriptedModel(DOWN, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ("done", "success")
    assert result.iterations[0].repaired == ("the model server failed, and was asked once more",)


async def test_a_server_that_fails_twice_ends_the_run() -> None:
    with ScriptedModel(DOWN, DOWN) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert (result.stopped_reason, result.error) == ("error", "it is down")


async def test_every_turn_has_its_own_second_try() -> None:
    with ScriptedModel(
        DOWN, calls_reply(scripted_call("echo", text="a")), DOWN, text_reply("done")
    ) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert result.final_answer == "done"


@pytest.mark.parametrize("final", [ModelError("no such model"), Unauthorized("wrong key")])
async def test_what_another_try_cannot_help_is_not_tried_again(final: Exception) -> None:
    with ScriptedModel(final) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert result.stopped_reason == "error"


async def test_a_server_that_says_when_is_asked_then() -> None:
    busy = ModelUnavailable("busy", retry_after_s=0.5)
    started = perf_counter()
    with ScriptedModel(busy, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert perf_counter() - started > 0.45
    assert result.final_answer == "done"


async def test_a_server_that_says_too_late_is_not_waited_for() -> None:
    busy = ModelUnavailable("busy", retry_after_s=3600)
    started = perf_counter()
    with ScriptedModel(busy) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert perf_counter() - started < 10
    assert (result.stopped_reason, result.error) == ("error", "busy")


class Nonsense:
    """A model that answers with what is no reply."""

    async def reply(self, request: ModelRequest) -> ModelReply:
        del request
        return None  # type: ignore[return-value]  # that is the point


async def test_a_reply_that_is_none_is_an_error_in_words() -> None:
    result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, Nonsense())
    assert (result.stopped_reason, result.answer_source) == ("error", "notice")
    assert "NoneType" in result.final_answer


class TooLate:
    """A model that holds up the event loop past the deadline, and then fails."""

    async def reply(self, request: ModelRequest) -> ModelReply:
        time.sleep(request.timeout_s + 0.1)  # noqa: ASYNC251  that is the point
        raise ModelUnavailable("it took too long")


async def test_a_model_that_fails_when_time_is_up_is_out_of_time() -> None:
    config = AgentConfig(model="m", max_wallclock_seconds=0.1)
    result = await run_agent(TASK, ScriptedInvoker("a"), config, TooLate())
    assert (result.stopped_reason, result.error) == ("budget", None)


def refused(value: str) -> Exception:
    response = httpx.Response(
        429, headers={"Retry-After": value}, request=httpx.Request("POST", "http://x")
    )
    return httpx.HTTPStatusError("busy", request=response.request, response=response)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0.5", 0.5), ("-3", 0), ("Mon, 01 Jan 2001 00:00:00 GMT", 0)],
)
def test_a_servers_word_for_when_is_read(value: str, seconds: float) -> None:
    assert parse_retry_after(refused(value)) == seconds


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "1e999", "40 May 2001"])
def test_garbage_says_nothing(value: str) -> None:
    assert parse_retry_after(refused(value)) is None


def test_a_date_is_so_many_seconds_from_now() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < (parse_retry_after(refused(date)) or 0) <= 100


def test_an_error_without_a_response_says_nothing() -> None:
    assert parse_retry_after(ValueError("x")) is None
