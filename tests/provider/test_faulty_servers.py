"""Whole runs against servers that fail, over real sockets and through LiteLLM."""

from __future__ import annotations

from time import perf_counter

import pytest

from mini_agent import arun_mcp_mini_agent
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.result import AgentResult
from mini_agent.testing import (
    Call,
    ScriptedServer,
    call,
    calls,
    empty_choices,
    garbage,
    half_closed,
    hang,
    no_tools,
    null_content,
    refusal,
    server_error,
)
from mini_agent.testing.replies import ScriptedReply
from mini_agent.testing.transcript_rules import broken_rules
from mini_agent.tools.catalog import EchoMCP

pytestmark = pytest.mark.usefixtures("_closing")

MODELS = ["ollama/m", "llamafile/m"]


async def run(model: str, server: ScriptedServer, seconds: float = 30) -> AgentResult:
    base = server.url if model.startswith("ollama") else server.openai_url
    config = AgentConfig(
        model=model, max_wallclock_seconds=seconds, completion_kwargs={"api_base": base}
    )
    result = await arun_mcp_mini_agent([user("Go.")], EchoMCP(), config)
    assert broken_rules(result.messages) == []
    assert result.final_answer.strip()
    return result


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "fault",
    [
        server_error("kaput"),
        refusal(503, "Loading model"),
        refusal(429, "slow down"),
        empty_choices(),
        garbage(),
        half_closed("half"),
        null_content(),
    ],
    ids=["500", "503", "429", "empty choices", "html", "half closed", "null"],
)
async def test_one_fault_does_not_end_a_run(model: str, fault: ScriptedReply) -> None:
    with ScriptedServer([call("echo", text="a"), fault, "It said a."]) as server:
        result = await run(model, server)
    assert (result.final_answer, result.stopped_reason) == ("It said a.", "success")


@pytest.mark.parametrize("model", MODELS)
async def test_two_faults_end_it_with_what_was_done(model: str) -> None:
    script: list[ScriptedReply | str] = [
        call("echo", text="a"),
        server_error("kaput"),
        server_error("kaput"),
    ]
    with ScriptedServer(script) as server:
        result = await run(model, server)
    assert (result.final_answer, result.stopped_reason) == ("a", "error")
    assert "kaput" in (result.error or "")


@pytest.mark.parametrize("model", MODELS)
async def test_a_model_without_tools_works_in_plain_text(model: str) -> None:
    script: list[ScriptedReply | str] = [
        no_tools(),
        '{"tool": "echo", "args": {"text": "a3b2c1"}}',
        '{"final": "It said a3b2c1."}',
    ]
    with ScriptedServer(script) as server:
        result = await run(model, server)
    assert result.final_answer == "It said a3b2c1."
    assert result.iterations[0].tool_invocations[0].stdout == "a3b2c1"
    assert "tools" not in server.requests[1].body
    assert {"format", "response_format"} & set(server.requests[1].body)


@pytest.mark.parametrize("model", MODELS)
async def test_a_server_that_hangs_costs_no_more_than_the_runs_time(model: str) -> None:
    started = perf_counter()
    with ScriptedServer([call("echo", text="a"), hang()]) as server:
        result = await run(model, server, seconds=4)
    assert perf_counter() - started < 20
    assert (result.final_answer, result.stopped_reason) == ("a", "budget")


@pytest.mark.parametrize("model", MODELS)
async def test_two_hundred_calls_with_one_id_are_all_answered(model: str) -> None:
    several = [Call("echo", {"text": str(number)}, id="same") for number in range(200)]
    with ScriptedServer([calls(*several), "done"]) as server:
        result = await run(model, server)
    assert result.final_answer == "done"
    assert len(result.iterations[0].tool_invocations) == 200
