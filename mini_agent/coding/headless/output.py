"""The output formats of headless runs: text, json and stream-json."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from time import perf_counter
from typing import Final
from uuid import uuid4

from pydantic import JsonValue

from mini_agent.coding.bootstrap import SessionContext
from mini_agent.coding.mcp_servers import McpServer
from mini_agent.coding.observer import NullObserver
from mini_agent.coding.text_encoding import is_unicode
from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.transcript.session import Session, to_anthropic_usage
from mini_agent.coding.usage import EXIT_FAILED, EXIT_INTERRUPTED, TurnOutcome
from mini_agent.errors import MiniAgentError
from mini_agent.messages import JsonObject
from mini_agent.net.terminal_text import escape_controls

_unread: Final = threading.Event()
SUBTYPES: Final = {
    "done": "success",
    "max_turns": "error_max_turns",
    "withheld": "tools_withheld",
}


class TextObserver(NullObserver):
    """Prints the answer on standard output, all else on standard error."""

    def on_warning(self, message: str) -> None:
        """Print it."""
        print_message(message)

    def on_ended(self, outcome: TurnOutcome) -> None:
        """Print the answer, the withheld calls or the error."""
        if outcome.status == "withheld":
            print_line(json.dumps([use.block for use in outcome.withheld], indent=2))
            return
        if outcome.answer:
            is_terminal = sys.stdout.isatty()
            print_line(escape_controls(outcome.answer) if is_terminal else outcome.answer)
        if outcome.error:
            print_message(outcome.error)


class JsonObserver(NullObserver):
    """Prints one result object a turn."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._started = perf_counter()
        self._denials: list[JsonValue] = []

    def on_warning(self, message: str) -> None:
        """Print it on standard error."""
        print_message(message)

    def on_denied(self, call: ToolUse) -> None:
        """Keep it for the result."""
        self._denials.append(
            {"tool_name": call.name, "tool_use_id": call.id, "tool_input": call.arguments}
        )

    def on_ended(self, outcome: TurnOutcome) -> None:
        """Print the result."""
        print_json(self._result(outcome))
        self._started, self._denials = perf_counter(), []

    def _result(self, outcome: TurnOutcome) -> JsonObject:
        result: JsonObject = {
            "type": "result",
            "subtype": SUBTYPES.get(outcome.status, "error_during_execution"),
            "is_error": outcome.exit_code in (EXIT_FAILED, EXIT_INTERRUPTED),
            "duration_ms": round((perf_counter() - self._started) * 1000),
            "duration_api_ms": round(outcome.model_ms),
            "num_turns": outcome.turns,
            "result": _format_result(outcome),
            "session_id": self._session.id,
            "total_cost_usd": outcome.usage.cost,
            "usage": to_anthropic_usage(outcome.usage),
            "permission_denials": self._denials,
            "uuid": str(uuid4()),
        }
        if outcome.withheld:
            result["tool_uses"] = [use.block for use in outcome.withheld]
        return result


class StreamObserver(JsonObserver):
    """Prints an init object, every message as it is written, and the result, one a line."""

    def __init__(self, session: Session, context: SessionContext) -> None:
        super().__init__(session)
        print_json(
            {
                "type": "system",
                "subtype": "init",
                "cwd": str(context.launch.paths.project),
                "session_id": session.id,
                "tools": list(context.tools),
                "mcp_servers": [_format_server(server) for server in context.servers],
                "model": context.launch.model,
                "permissionMode": context.permissions.mode,
                "uuid": str(uuid4()),
            }
        )

    def on_line(self, line: JsonObject) -> None:
        """Print the message in a line of the transcript."""
        if line["type"] not in ("user", "assistant"):
            return
        message: JsonObject = {
            "type": line["type"],
            "message": line["message"],
            "parent_tool_use_id": None,
            "session_id": self._session.id,
            "uuid": line["uuid"],
        }
        if "toolUseResult" in line:
            message["tool_use_result"] = line["toolUseResult"]
        print_json(message)


def _format_result(outcome: TurnOutcome) -> str:
    """Join an answer that was cut with the reason; else there is one of both."""
    parts = [outcome.answer, outcome.error] if outcome.status == "cut" else [outcome.answer]
    return "\n\n".join(part for part in parts if part) or outcome.error


def _format_server(server: McpServer) -> JsonObject:
    return {"name": server.name, "status": "failed" if server.problem else "connected"}


def print_message(message: str) -> None:
    """Print a line on standard error."""
    if has_reader():
        with suppress(BrokenPipeError):
            print(f"mini-agent: {escape_controls(message)}", file=sys.stderr, flush=True)


def print_json(value: JsonObject) -> None:
    """Print a line of JSON on standard output, flushed at once."""
    print_line(json.dumps(value, ensure_ascii=not is_unicode(sys.stdout)))


def print_line(text: str) -> None:
    """Print a line on standard output, flushed at once; ends the run where nobody reads it.

    Raises `MiniAgentError` where it cannot be written, as on a full disk.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _end_unread()
    except OSError as error:
        _discard_output()
        raise MiniAgentError(
            f"standard output cannot be written: {error.strerror}",
            hint="make room, or send the output elsewhere, and go on with --continue",
        ) from None


def has_reader() -> bool:
    """Tell whether standard output is still read, as far as is known."""
    return not _unread.is_set()


def _end_unread() -> None:
    _unread.set()
    _discard_output()
    # As an interrupt the run ends its commands, and is recorded.
    main_thread = threading.main_thread().ident
    if main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGINT)


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
