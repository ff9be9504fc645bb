"""The door to the tools: what they are, and a turn's calls carried out, whatever they do."""

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
from mini_agent.tools.arguments import Called, OfferedTool, offered_tools, tool_call
from mini_agent.tools.invoker import Invoker, StreamingInvoker, ToolOutput, refused
from mini_agent.tools.observation import REPAIR, observation
from mini_agent.tools.outputs import output_of
from mini_agent_protocol.execution import Output


async def list_tools(invoker: Invoker, deadline: Deadline) -> dict[str, OfferedTool]:
    """The tools by name; `MiniAgentError` when the invoker cannot say."""

    async def listing() -> dict[str, OfferedTool]:
        return offered_tools(await invoker.list_openai_tools())

    try:
        return await deadline.wait_for(listing())
    except (DeadlineExceeded, MiniAgentError):
        raise
    except Exception as broken:  # an invoker is foreign code and may raise anything
        what = f"{type(broken).__name__}: {broken!s:.500}"
        raise MiniAgentError(f"the tools could not be listed: {what}") from broken


@dataclass(frozen=True, slots=True)
class ToolExecutor:
    """Carries out calls, `tool_concurrency` at a time, and tells what happens meanwhile."""

    invoker: Invoker
    config: AgentConfig
    deadline: Deadline
    tell: Listener

    async def carried_out(
        self, asks: Sequence[ResolvedCall], iteration: int
    ) -> list[ToolInvocation]:
        """What came of each ask, in their order, whatever the tools do: fail, raise or hang."""
        places = asyncio.Semaphore(self.config.tool_concurrency)

        async def in_turn(ask: ResolvedCall) -> ToolInvocation:
            async with places:
                return await self._carried_out(ask, iteration)

        async with asyncio.TaskGroup() as running:
            tasks = [running.create_task(in_turn(ask)) for ask in asks]
        return [task.result() for task in tasks]

    async def _carried_out(self, ask: ResolvedCall, iteration: int) -> ToolInvocation:
        started = perf_counter()
        output = await self._output(ask, iteration)
        ms = (perf_counter() - started) * 1000
        try:
            invocation = self._invocation(ask, output, ms)
        except ValidationError as odd:
            field = odd.errors()[0]["loc"][0]
            wrong = refused(f"the tool answered with an output whose {field} cannot be")
            invocation = self._invocation(ask, wrong, ms)
        self.tell(ToolFinished(iteration=iteration, invocation=invocation))
        return invocation

    def _invocation(self, ask: ResolvedCall, output: ToolOutput, ms: float) -> ToolInvocation:
        return ToolInvocation(
            tool_call_id=ask.id,
            name=ask.name,
            requested_name=ask.requested_name,
            arguments=ask.arguments,
            ok=output.ok,
            rc=output.rc,
            stdout=output.stdout,
            stderr=output.stderr,
            text=output.told or observation(ask.name, output, self._directive),
            error=output.error,
            duration_ms=ms,
            execution=output.execution,
            attachments=output.attachments,
        )

    @property
    def _directive(self) -> str:
        return REPAIR if self.config.enable_repair else ""

    async def _output(self, ask: ResolvedCall, iteration: int) -> ToolOutput:
        if ask.problem:
            return refused(ask.problem)
        started = ToolStarted(
            iteration=iteration, tool_call_id=ask.id, name=ask.name, arguments=ask.arguments
        )
        self.tell(started)
        with trace_tool_call(ask.id, ask.name, ask.arguments) as tell_output:
            output = await self._bounded(ask, iteration)
            tell_output(output)
        return output

    async def _bounded(self, ask: ResolvedCall, iteration: int) -> ToolOutput:
        try:
            return await self.deadline.wait_for(self._called(ask, iteration))
        except DeadlineExceeded:
            return refused("the run's time was up, so the call was cut off")
        except Exception as broken:  # noqa: BLE001  a tool is foreign code and may raise anything
            return refused(f"the tool failed with {type(broken).__name__}: {broken!s:.500}")

    async def _called(self, ask: ResolvedCall, iteration: int) -> ToolOutput:
        def tell(piece: Output) -> None:
            told = ToolOutputPiece(
                iteration=iteration, tool_call_id=ask.id, stream=piece.stream, text=piece.text
            )
            self.tell(told)

        call = tool_call(ask.id, Called(ask.name, ask.arguments))
        if isinstance(self.invoker, StreamingInvoker):
            return output_of(await self.invoker.stream_openai_tool(call, tell))
        return output_of(await self.invoker.call_openai_tool(call))
