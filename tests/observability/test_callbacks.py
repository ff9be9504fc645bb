"""LiteLLM's own callbacks hear of every call that a run makes."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from mini_agent import AgentConfig, arun_mcp_mini_agent
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import flush_litellm_logging
from mini_agent.testing import ScriptedServer, Tokens, call, refusal, text
from mini_agent.tools.catalog import EchoMCP
from tests.provider import conftest as provider

_loaded = provider._loaded
pytestmark = pytest.mark.usefixtures("_closing")


@dataclass
class Noted:
    """The model of each call that went well, with its tokens, and of each that did not."""

    good: list[tuple[str, int]] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


@pytest.fixture
async def noted(_loaded: ModuleType) -> AsyncIterator[Noted]:
    """What a callback in `litellm.callbacks` is told."""
    noted = Noted()
    logger = importlib.import_module("litellm.integrations.custom_logger").CustomLogger

    # LiteLLM calls both with these names.
    async def good(
        _: object,
        kwargs: dict[str, object],
        response_obj: object,
        start_time: object,
        end_time: object,
    ) -> None:
        usage = getattr(response_obj, "usage", None)
        noted.good.append((str(kwargs["model"]), getattr(usage, "total_tokens", 0)))

    async def bad(
        _: object,
        kwargs: dict[str, object],
        response_obj: object,
        start_time: object,
        end_time: object,
    ) -> None:
        noted.bad.append(str(kwargs["model"]))

    own = {"async_log_success_event": good, "async_log_failure_event": bad}
    callback = type("Noting", (logger,), own)()
    settings = _loaded.__dict__
    before = settings["callbacks"]
    settings["callbacks"] = [callback]
    yield noted
    settings["callbacks"] = before
    settings["logging_callback_manager"]._reset_all_callbacks()


async def test_each_turn_of_a_run_is_told_to_a_callback(noted: Noted) -> None:
    script = [call("echo", text="x"), text("done", tokens=Tokens(prompt=7, completion=3))]
    with ScriptedServer(script) as server:
        config = AgentConfig(model="ollama/m", completion_kwargs={"api_base": server.url})
        result = await arun_mcp_mini_agent([user("hi")], EchoMCP(), config)
    await flush_litellm_logging()
    assert result.stopped_reason == "success"
    assert [model for model, _ in noted.good] == ["m", "m"]
    assert noted.good[-1][1] == 10


async def test_a_turn_that_fails_is_told_as_well(noted: Noted) -> None:
    with ScriptedServer([refusal(400, "no")]) as server:
        config = AgentConfig(model="ollama/m", completion_kwargs={"api_base": server.url})
        result = await arun_mcp_mini_agent([user("hi")], EchoMCP(), config)
    await flush_litellm_logging()
    assert result.stopped_reason == "error"
    assert noted.bad == ["m"]
