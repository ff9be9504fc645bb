"""A run as spans, by OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from mini_agent.agent.loop import run_agent
from mini_agent.config import AgentConfig
from mini_agent.errors import ModelError
from mini_agent.messages import user
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.net.telemetry import CAPTURE_CONTENT_VARIABLE
from mini_agent.result import Usage
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.http import HttpToolsInvoker
from mini_agent_shim.settings import ShimSettings
from tests.mcp.gateway.conftest import gateway_over
from tests.observability.exported_spans import (
    CALLER,
    TRACE,
    TRACEPARENT,
    ExportedSpans,
    TraceparentRecorder,
    parent_id,
    span_id,
    trace_id,
)
from tests.shim.runs.run_client import wait_for_end
from tests.shim.scripted import (
    ScriptedModel,
    ScriptedSidecar,
    SilentModel,
    open_client,
    program_turn,
    text_turn,
)
from tests.shim.serving import serve_app

ASKED: dict[str, object] = {
    "messages": [{"role": "user", "content": "the user's secret"}],
    "model": "ollama/m",
}
AGENT = "invoke_agent mini-agent"
TELLING_SERVER = """
import asyncio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import CallToolResult, ListToolsResult, TextContent, Tool

async def listed(context, asked):
    return ListToolsResult(tools=[Tool(name="trace", input_schema={"type": "object"})])

async def called(context, asked):
    said = (context.meta or {}).get("traceparent", "none")
    return CallToolResult(content=[TextContent(type="text", text=said)])

async def main():
    server = Server("telling", on_list_tools=listed, on_call_tool=called)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())

asyncio.run(main())
"""


def attribute(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(name)


class Broken:
    """A model that fails, with words that quote the prompt."""

    async def reply(self, request: ModelRequest) -> ModelReply:
        raise ModelError(f"cannot read {request.messages[-1]['content']!r}")


async def test_a_run_is_a_tree_of_its_turns_and_calls(spans: ExportedSpans) -> None:
    turn = ModelReply(text="42", usage=Usage(prompt_tokens=7, completion_tokens=3, cached_tokens=2))
    model = ScriptedModel([program_turn("x", tool="echo"), turn])
    config = AgentConfig(model="ollama/m", temperature=0.5, completion_kwargs={"max_tokens": 9})
    await run_agent([user("hi")], EchoMCP(), config, model)
    agent = spans.named(AGENT)
    assert spans.under(agent) == ["chat ollama/m", "execute_tool echo", "chat ollama/m"]
    _, tool, chat, _ = spans.all
    assert (agent.kind, chat.kind, tool.kind) == (
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
        SpanKind.INTERNAL,
    )
    assert (chat.attributes, tool.attributes) == (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "ollama",
            "gen_ai.request.model": "ollama/m",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 9,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.usage.cache_read.input_tokens": 2,
        },
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "echo",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.type": "function",
            "mini_agent.tool.rc": 0,
        },
    )
    assert attribute(agent, "gen_ai.usage.input_tokens") == 7
    assert attribute(agent, "mini_agent.stopped_reason") == "success"
    assert attribute(agent, "mini_agent.iterations") == 2


async def test_the_callers_trace_goes_through_the_shim_to_the_sidecar(spans: ExportedSpans) -> None:
    sidecar = TraceparentRecorder(ScriptedSidecar().app())
    model = ScriptedModel([program_turn("print(6 * 7)"), text_turn("42")])
    with serve_app(sidecar) as url:
        settings = ShimSettings.model_validate({"sidecar_url": url, "sidecar_token": "token"})
        async with open_client(model, settings) as client:
            answer = await client.post("/agent/run", json=ASKED, headers=TRACEPARENT)
    server_span, agent = spans.named("POST /agent/run"), spans.named(AGENT)
    tool = spans.named("execute_tool exec_python")
    assert (parent_id(server_span), parent_id(agent)) == (CALLER, span_id(server_span))
    assert server_span.kind == SpanKind.SERVER
    assert attribute(server_span, "http.response.status_code") == 200
    assert {trace_id(each) for each in spans.all} == {TRACE}
    assert sidecar.traceparents[-1] == f"00-{TRACE}-{span_id(tool)}-01"
    assert attribute(agent, "gen_ai.conversation.id") == answer.headers["x-run-id"]
    assert attribute(tool, "mini_agent.sandbox.status") == "ok"
    assert attribute(tool, "container.image.name") == "scripted"


async def test_a_run_in_the_background_belongs_to_the_trace_that_asked_for_it(
    spans: ExportedSpans,
) -> None:
    asked = {**ASKED, "tool_backend": "echo", "background": True}
    async with open_client(ScriptedModel([text_turn("42")])) as client:
        begun = (await client.post("/agent/run", json=asked, headers=TRACEPARENT)).json()
        await wait_for_end(client, begun["id"])
    assert parent_id(spans.named(AGENT)) == span_id(spans.named("POST /agent/run"))


async def test_without_an_sdk_the_trace_is_passed_on_as_it_came() -> None:
    sidecar = TraceparentRecorder(ScriptedSidecar().app())
    with serve_app(sidecar) as url:
        settings = ShimSettings.model_validate({"sidecar_url": url, "sidecar_token": "token"})
        model = ScriptedModel([program_turn("1"), text_turn("1")] * 2)
        async with open_client(model, settings) as client:
            await client.post("/agent/run", json=ASKED, headers=TRACEPARENT)
            received = list(sidecar.traceparents)
            await client.post("/agent/run", json=ASKED)
    assert set(received) == {TRACEPARENT["traceparent"]}
    assert set(sidecar.traceparents[len(received) :]) == {""}


async def test_the_trace_goes_through_the_gateway_into_its_mcp_servers(
    spans: ExportedSpans, tmp_path: Path
) -> None:
    program = tmp_path / "telling.py"
    program.write_text(TELLING_SERVER)
    servers = f"[mcp_servers.t]\ncommand = {sys.executable!r}\nargs = [{str(program)!r}]\n"
    async with gateway_over(tmp_path, servers) as client:
        tools = HttpToolsInvoker(str(client.base_url))
        model = ScriptedModel([program_turn("", tool="t__trace"), text_turn("done")])
        result = await run_agent([user("hi")], tools, AgentConfig(model="m"), model)
    traceparent = result.iterations[0].tool_invocations[0].stdout.strip()
    server_span = spans.named("POST /invoke")
    assert parent_id(server_span) == span_id(spans.named("execute_tool t__trace"))
    assert traceparent.split("-")[1:3] == [trace_id(server_span), span_id(server_span)]


async def test_no_prompt_code_output_or_answer_is_in_a_span(spans: ExportedSpans) -> None:
    turns = [program_turn("the code's secret", tool="echo"), text_turn("the answer's secret")]
    model = ScriptedModel(turns)
    async with open_client(model) as client:
        await client.post("/agent/run", json={**ASKED, "tool_backend": "echo"})
    assert len(spans.all) == 5
    assert "secret" not in spans.text


async def test_the_standard_variable_puts_them_there(
    spans: ExportedSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE_CONTENT_VARIABLE, "true")
    model = ScriptedModel([program_turn("the code", tool="echo"), text_turn("the answer")])
    config = AgentConfig(model="m")
    await run_agent([user("the prompt")], EchoMCP(), config, model)
    _, tool, chat, _ = spans.all
    assert "the code" in str(attribute(tool, "gen_ai.tool.call.arguments"))
    assert "the code" in str(attribute(tool, "gen_ai.tool.call.result"))
    shown = json.loads(str(attribute(chat, "gen_ai.input.messages")))
    assert {"role": "user", "parts": [{"type": "text", "content": "the prompt"}]} in shown
    kinds = [part["type"] for message in shown for part in message["parts"]]
    assert kinds[-2:] == ["tool_call", "tool_call_response"]
    assert json.loads(str(attribute(chat, "gen_ai.output.messages"))) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "the answer"}],
            "finish_reason": "stop",
        }
    ]


async def test_what_fails_is_named_and_not_quoted(spans: ExportedSpans) -> None:
    await run_agent([user("the secret")], EchoMCP(), AgentConfig(model="m"), Broken())
    chat, agent = spans.all[-2:]
    assert (attribute(chat, "error.type"), chat.status.status_code) == (
        "ModelError",
        StatusCode.ERROR,
    )
    assert attribute(agent, "error.type") == "error"
    assert "secret" not in spans.text


async def test_a_call_that_fails_is_an_error_of_its_own_span_alone(spans: ExportedSpans) -> None:
    model = ScriptedModel([program_turn("", tool="nothing_like_it"), text_turn("so be it")])
    await run_agent([user("hi")], EchoMCP(), AgentConfig(model="m"), model)
    assert [each.name for each in spans.all if each.status.status_code is StatusCode.ERROR] == []
    assert attribute(spans.named(AGENT), "mini_agent.stopped_reason") == "success"


async def test_a_run_that_is_cancelled_ends_its_spans(spans: ExportedSpans) -> None:
    model = SilentModel()
    asking = asyncio.create_task(run_agent([user("hi")], EchoMCP(), AgentConfig(model="m"), model))
    await model.asked.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert {attribute(each, "error.type") for each in spans.all} == {"CancelledError"}
    assert [each.name for each in spans.all] == ["chat m", AGENT]


async def test_the_log_names_the_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="mini_agent_shim")
    async with open_client(ScriptedModel([text_turn("hey")])) as client:
        await client.post("/agent/run", json={**ASKED, "tool_backend": "echo"}, headers=TRACEPARENT)
        await client.get("/runs")
    lines = [json.loads(each.getMessage()) for each in caplog.records]
    assert [line.get("trace_id") for line in lines] == [TRACE, TRACE, None]
