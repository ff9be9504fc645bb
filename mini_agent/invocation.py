"""The door to the tools: what they are, and one call carried out, whatever they do."""

from __future__ import annotations

from time import perf_counter

from mini_agent.deadline import Deadline, OutOfTime
from mini_agent.errors import MiniAgentError
from mini_agent.messages import function_call
from mini_agent.result import ToolInvocation
from mini_agent.tools.foreign import output_of
from mini_agent.tools.invoker import Invoker, ToolOutput, refused
from mini_agent.tools.observation import observation
from mini_agent.tools.offered import OfferedTool, offered_tools
from mini_agent.understood import Ask


async def listed_tools(invoker: Invoker, deadline: Deadline) -> dict[str, OfferedTool]:
    """The tools by name; `MiniAgentError` when the invoker cannot say."""

    async def listing() -> dict[str, OfferedTool]:
        return offered_tools(await invoker.list_openai_tools())

    try:
        return await deadline.bound(listing())
    except (OutOfTime, MiniAgentError):
        raise
    except Exception as broken:  # an invoker is foreign code and may raise anything
        what = f"{type(broken).__name__}: {broken!s:.500}"
        raise MiniAgentError(f"the tools could not be listed: {what}") from broken


async def carried_out(
    ask: Ask, invoker: Invoker, deadline: Deadline, directive: str
) -> ToolInvocation:
    """What came of `ask`, whatever the tool does: fail, raise, hang or answer with nonsense."""
    started = perf_counter()
    output = refused(ask.problem) if ask.problem else await _output(ask, invoker, deadline)
    return ToolInvocation(
        tool_call_id=ask.id,
        name=ask.name,
        requested_name=ask.requested_name,
        arguments=ask.arguments,
        ok=output.ok,
        rc=output.rc,
        stdout=output.stdout,
        stderr=output.stderr,
        text=observation(ask.name, output, directive),
        error=output.error,
        duration_ms=(perf_counter() - started) * 1000,
        execution=output.execution,
    )


async def _output(ask: Ask, invoker: Invoker, deadline: Deadline) -> ToolOutput:
    async def call() -> ToolOutput:
        wire_call = function_call(ask.id, ask.name, ask.arguments)
        return output_of(await invoker.call_openai_tool(wire_call))

    try:
        return await deadline.bound(call())
    except OutOfTime:
        return refused("the run's time was up, so the call was cut off")
    except Exception as broken:  # noqa: BLE001  a tool is foreign code and may raise anything
        return refused(f"the tool failed with {type(broken).__name__}: {broken!s:.500}")
