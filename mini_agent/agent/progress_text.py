"""What a run is doing, in words, for the reasoning of a stream."""

from __future__ import annotations

from typing import Final

from mini_agent.events import (
    CallRepaired,
    Event,
    ModelAsked,
    ModelReplied,
    ToolFinished,
    ToolOutputPiece,
    ToolStarted,
)
from mini_agent.messages import JsonObject
from mini_agent.result import ToolInvocation

MAX_ARGUMENT_CHARS: Final = 2000
MAIN_ARGUMENTS: Final = ("code", "cmd", "query", "text", "s")


def format_progress(event: Event) -> str:
    """What `event` adds; nothing for those that show nothing new."""
    match event:
        case ModelAsked():
            why = f" again: {event.because}" if event.because else ""
            said = f"[{event.iteration}] asking {event.model}{why}\n"
        case ModelReplied(calls=calls, text=text) if calls and text.strip():
            said = f"{text.strip()}\n"
        case CallRepaired():
            said = f"(understood: {', '.join(event.repaired)})\n"
        case ToolStarted():
            said = f"{event.name}: {_format_arguments(event.arguments)}\n"
        case ToolOutputPiece():
            said = event.text
        case ToolFinished(invocation=invocation):
            said = f"-> {_format_outcome(invocation)}\n"
        case _:
            said = ""
    return said


def _format_arguments(arguments: JsonObject) -> str:
    plain = [arguments[name] for name in MAIN_ARGUMENTS if name in arguments]
    said = str(plain[0]) if len(plain) == len(arguments) == 1 else str(arguments)
    return said if len(said) <= MAX_ARGUMENT_CHARS else f"{said[:MAX_ARGUMENT_CHARS]}..."


def _format_outcome(call: ToolInvocation) -> str:
    if call.rc is None:
        return call.error or "did not run"
    return f"{call.name} ended with rc {call.rc} after {call.duration_ms:.0f} ms"
