"""Formats the events of a run as text, for the reasoning of a stream and for the terminal."""

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
    """Formats `event`; returns "" for an event that shows nothing new."""
    match event:
        case ModelAsked():
            why = f" again: {event.because}" if event.because else ""
            line = f"[{event.iteration}] asking {event.model}{why}\n"
        case ModelReplied(calls=calls, text=text) if calls and text.strip():
            line = f"{text.strip()}\n"
        case CallRepaired():
            line = f"(understood: {', '.join(event.repaired)})\n"
        case ToolStarted():
            line = f"{event.name}: {_format_arguments(event.arguments)}\n"
        case ToolOutputPiece():
            line = event.text
        case ToolFinished(invocation=invocation):
            line = f"-> {_format_outcome(invocation)}\n"
        case _:
            line = ""
    return line


def _format_arguments(arguments: JsonObject) -> str:
    plain = [arguments[name] for name in MAIN_ARGUMENTS if name in arguments]
    text = str(plain[0]) if len(plain) == len(arguments) == 1 else str(arguments)
    return text if len(text) <= MAX_ARGUMENT_CHARS else f"{text[:MAX_ARGUMENT_CHARS]}..."


def _format_outcome(call: ToolInvocation) -> str:
    if call.rc is None:
        return call.error or "did not run"
    return f"{call.name} ended with rc {call.rc} after {call.duration_ms:.0f} ms"
