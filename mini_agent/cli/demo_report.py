"""A finished run as lines of text: each iteration, the answer, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mini_agent.result import AgentResult, Iteration, ToolInvocation


@dataclass(frozen=True, slots=True)
class Report:
    """What a person wants to see of a run; `waited_ms` is what the caller's clock says."""

    result: AgentResult
    waited_ms: float

    def computed(self, expected: str) -> bool:
        """Whether a program printed `expected` and the answer says it."""
        printed = [call.stdout for each in self.result.iterations for call in each.tool_invocations]
        return expected in self.result.final_answer and any(expected in text for text in printed)


def report_lines(report: Report, *, expected: str) -> Iterator[str]:
    """The run, top to bottom, then the answer and the time."""
    for iteration in report.result.iterations:
        yield ""
        yield from _iteration_lines(iteration)
    yield ""
    yield f"answer  {report.result.final_answer}"
    yield _verdict(report, expected)
    yield _time_line(report)


def _iteration_lines(iteration: Iteration) -> Iterator[str]:
    yield f"{iteration.index}  model  {iteration.model}, {_ms(iteration.model_ms)}"
    if iteration.model_text:
        yield from _quoted(iteration.model_text)
    for repair in iteration.repaired:
        yield f"   mended {repair}"
    for call in iteration.tool_invocations:
        yield from _call_lines(call)


def _call_lines(call: ToolInvocation) -> Iterator[str]:
    yield f"   call   {call.name}"
    for value in call.arguments.values():
        yield from _quoted(str(value))
    yield f"   ran    {_where(call)}, rc {call.rc}, {_ms(call.duration_ms)}"
    for name, text in (("stdout", call.stdout), ("stderr", call.stderr), ("error", call.error)):
        if text:
            yield f"   {name}"
            yield from _quoted(text)


def _where(call: ToolInvocation) -> str:
    if call.execution is None:
        return "as a child process, not in a sandbox"
    sandbox, limits = call.execution.sandbox, call.execution.limits
    return (
        f"in {sandbox.image} ({sandbox.runtime}, network {sandbox.network}, "
        f"{limits.memory_mb} MiB, {limits.timeout_s:g} s)"
    )


def _verdict(report: Report, expected: str) -> str:
    if report.computed(expected):
        return f"        right: the program printed {expected}, and the answer says so"
    return (
        f"        WRONG: {expected} was expected; the run ended as {report.result.stopped_reason}"
    )


def _time_line(report: Report) -> str:
    model, tools = report.result.model_ms, report.result.tool_ms
    starting = sum(
        call.execution.timings_ms.start
        for each in report.result.iterations
        for call in each.tool_invocations
        if call.execution
    )
    rest = max(0.0, report.waited_ms - model - tools)
    return (
        f"time    {_ms(report.waited_ms)}: model {_ms(model)}, tools {_ms(tools)} "
        f"({_ms(starting)} of it starting the container), everything else {_ms(rest)}"
    )


def _quoted(text: str) -> Iterator[str]:
    for line in text.rstrip("\n").splitlines():
        yield f"          {line}"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
