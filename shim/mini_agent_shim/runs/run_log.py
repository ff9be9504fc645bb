"""What the log tells of a run: one JSON line when it stops. Never code, output or an answer."""

from __future__ import annotations

import logging
from typing import Final

from mini_agent.events import Event, Listener, RunStarted, Stopped
from mini_agent.net.telemetry import say_of_current
from mini_agent.result import AgentResult
from mini_agent_shim.http.log_lines import line_of

NAME_CHARS: Final = 100
_log: Final = logging.getLogger(__name__)


def logged(listener: Listener, run_id: str) -> Listener:
    """`listener`, and a line in the log when the run stops; the run's span gets its id."""

    def tell(event: Event) -> None:
        if isinstance(event, RunStarted):
            say_of_current({"gen_ai.conversation.id": run_id})
        if isinstance(event, Stopped):
            _log.info(_line(event.result))
        listener(event)

    return tell


def _line(result: AgentResult) -> str:
    calls = [call for each in result.iterations for call in each.tool_invocations]
    return line_of(
        "run_stopped",
        model=result.used_model[:NAME_CHARS],
        stopped_reason=result.stopped_reason,
        answer_source=result.answer_source,
        iterations=len(result.iterations),
        calls=len(calls),
        failed_calls=sum(not call.ok for call in calls),
        repaired=sum(len(each.repaired) for each in result.iterations),
        prompt_tokens=result.usage.prompt_tokens,
        completion_tokens=result.usage.completion_tokens,
        model_ms=round(result.model_ms),
        tool_ms=round(result.tool_ms),
        total_ms=round(result.total_ms),
    )
