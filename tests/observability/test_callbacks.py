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
class CallbackLog:
    """The model of each call that went well, with its tokens, and of each that did not."""

    succeeded: list[tuple[str, int]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@pytest.fixture
async def callback_log(_loaded: ModuleType) -> AsyncIterator[CallbackLog]:
    """What a callback in `litellm.callbacks` receives."""
    callback_log = CallbackLog()
    logger = importlib.import_module("litellm.integrations.custom_logger").CustomLogger

    # LiteLLM calls both with these names.
    async def on_success(
        _: object,
        kwargs: dict[str, object],
        response_obj: object,
        start_time: object,
        end_time: object,
    ) -> None:
        usage = getattr(response_obj, "usage", None)
        callback_log.succeeded.append((str(kwargs["model"]), getattr(usage, "total_tokens", 0)))

    async def on_failure(
        _: object,
        kwargs: dict[str, object],
        response_obj: object,
        start_time: object,
        end_time: object,
    ) -> None:
        callback_log.failed.append(str(kwargs["model"]))

    own = {"async_log_success_event": on_success, "async_log_failure_event": on_failure}
    callback = type("Recording", (logger,), own)()
    settings = _loaded.__dict__
    before = settings["callbacks"]
    settings["callbacks"] = [callback]
    yield callback_log
    settings["callbacks"] = before
    settings["logging_callback_manager"]._reset_all_callbacks()


async def test_each_turn_of_a_run_is_told_to_a_callback(callback_log: CallbackLog) -> None:
    script = [call("echo", text="x"), text("done", tokens=Tokens(prompt=7, completion=3))]
    with ScriptedServer(script) as server:
        config = AgentConfig(model="ollama/m", completion_kwargs={"api_base": server.url})
        result = await arun_mcp_mini_agent([user("hi")], EchoMCP(), config)
    await flush_litellm_logging()
    assert result.stopped_reason == "success"
    assert [model for model, _ in callback_log.succeeded] == ["m", "m"]
    assert callback_log.succeeded[-1][1] == 10


async def test_a_turn_that_fails_is_told_as_well(callback_log: CallbackLog) -> None:
    with ScriptedServer([refusal(400, "no")]) as server:
        config = AgentConfig(model="ollama/m", completion_kwargs={"api_base": server.url})
        result = await arun_mcp_mini_agent([user("hi")], EchoMCP(), config)
    await flush_litellm_logging()
    assert result.stopped_reason == "error"
    assert callback_log.failed == ["m"]
