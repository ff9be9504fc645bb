"""The tool executor: lists a run's tools and executes a turn's calls, whatever the tools do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from pydantic import ValidationError

from mini_agent.agent.deadline import Deadline, DeadlineExceeded
from mini_agent.agent.tracing import trace_tool_call
from mini_agent.config import AgentConfig
from mini_agent.errors import MiniAgentError
from mini_agent.events import Listener, ToolFinished, ToolOutputPiece, ToolStarted
from mini_agent.result import ToolInvocation
from mini_agent.tool_parsing.resolve import ResolvedCall
from mini_agent.tools.arguments import OfferedTool, ParsedArguments, build_tool_call, parse_tools
from mini_agent.tools.invoker import Invoker, StreamingInvoker, ToolOutput, error_output
from mini_agent.tools.observation import REPAIR_DIRECTIVE, format_observation
from mini_agent.tools.outputs import parse_output
from mini_agent_protocol.execution import Output


async def list_tools(invoker: Invoker, deadline: Deadline) -> dict[str, OfferedTool]:
    """Lists the tools by name; raises `MiniAgentError` when the invoker fails."""

    async def listing() -> dict[str, OfferedTool]:
        return parse_tools(await invoker.list_openai_tools())

    try:
        return await deadline.wait_for(listing())
    except (DeadlineExceeded, MiniAgentError):
        raise
    except Exception as broken:  # an invoker is foreign code and may raise anything
        what = f"{type(broken).__name__}: {broken!s:.500}"
        raise MiniAgentError(f"the tools could not be listed: {what}") from broken


@dataclass(frozen=True, slots=True)
class ToolExecutor:
    """Executes calls, `tool_concurrency` at a time, and emits an event for each step."""

    invoker: Invoker
    config: AgentConfig
    deadline: Deadline
    emit: Listener

    async def execute(self, calls: Sequence[ResolvedCall], iteration: int) -> list[ToolInvocation]:
        """Executes `calls`; returns one invocation each, in order, also for a tool that fails.

        Code blocks of one reply are steps: each waits for the one before it.
        """
        if any(call.form == "code" for call in calls):
            return [await self._execute_call(call, iteration) for call in calls]
        slots = asyncio.Semaphore(self.config.tool_concurrency)

        async def execute_in_slot(call: ResolvedCall) -> ToolInvocation:
            async with slots:
                return await self._execute_call(call, iteration)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(execute_in_slot(call)) for call in calls]
        return [task.result() for task in tasks]

    async def _execute_call(self, call: ResolvedCall, iteration: int) -> ToolInvocation:
        started = perf_counter()
        output = await self._run_traced(call, iteration)
        ms = (perf_counter() - started) * 1000
        try:
            invocation = self._to_invocation(call, output, ms)
        except ValidationError as invalid:
            field = invalid.errors()[0]["loc"][0]
            refusal = error_output(f"the tool answered with an output whose {field} cannot be")
            invocation = self._to_invocation(call, refusal, ms)
        self.emit(ToolFinished(iteration=iteration, invocation=invocation))
        return invocation

    async def _run_traced(self, call: ResolvedCall, iteration: int) -> ToolOutput:
        if call.problem:
            return error_output(call.problem)
        started = ToolStarted(
            iteration=iteration, tool_call_id=call.id, name=call.name, arguments=call.arguments
        )
        self.emit(started)
        with trace_tool_call(call.id, call.name, call.arguments) as trace_output:
            output = await self._run_until_deadline(call, iteration)
            trace_output(output)
        return output

    async def _run_until_deadline(self, call: ResolvedCall, iteration: int) -> ToolOutput:
        try:
            return await self.deadline.wait_for(self._invoke(call, iteration))
        except DeadlineExceeded:
            return error_output("the run's time was up, so the call was cut off")
        except Exception as broken:  # noqa: BLE001  a tool is foreign code and may raise anything
            return error_output(f"the tool failed with {type(broken).__name__}: {broken!s:.500}")

    async def _invoke(self, call: ResolvedCall, iteration: int) -> ToolOutput:
        def emit_piece(piece: Output) -> None:
            event = ToolOutputPiece(
                iteration=iteration, tool_call_id=call.id, stream=piece.stream, text=piece.text
            )
            self.emit(event)

        own_name = call.own_name or call.name
        request = build_tool_call(call.id, ParsedArguments(own_name, call.arguments))
        if isinstance(self.invoker, StreamingInvoker):
            return parse_output(await self.invoker.stream_openai_tool(request, emit_piece))
        return parse_output(await self.invoker.call_openai_tool(request))

    def _to_invocation(self, call: ResolvedCall, output: ToolOutput, ms: float) -> ToolInvocation:
        directive = REPAIR_DIRECTIVE if self.config.enable_repair else ""
        return ToolInvocation(
            tool_call_id=call.id,
            name=call.name,
            requested_name=call.requested_name,
            arguments=call.arguments,
            ok=output.ok,
            rc=output.rc,
            stdout=output.stdout,
            stderr=output.stderr,
            text=output.model_text
            or format_observation(call.name, output, directive, self.config.max_result_chars),
            error=output.error,
            duration_ms=ms,
            execution=output.execution,
            attachments=output.attachments,
        )
