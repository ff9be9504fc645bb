"""The terminal's view of a running session: answers, calls, and a spinner in between."""

from __future__ import annotations

import json
import sys
from time import perf_counter

from rich.console import Console
from rich.status import Status
from rich.text import Text

from mini_agent.agent.context_window import TokenCounter
from mini_agent.coding.observer import NullObserver
from mini_agent.coding.terminal.formatting import (
    REMINDER_TAG,
    format_added_reminder,
    format_call,
    format_reminder,
    format_result,
)
from mini_agent.coding.terminal.markdown_stream import MarkdownStream
from mini_agent.coding.transcript.log import parse_entry
from mini_agent.coding.usage import TurnOutcome, format_usage
from mini_agent.events import (
    Event,
    ModelAsked,
    ModelReplied,
    ToolFinished,
    ToolOutputPiece,
    ToolStarted,
)
from mini_agent.messages import JsonObject
from mini_agent.net.terminal_text import escape_controls


class Screen(NullObserver):
    """Prints what happens in a session, with a spinner while nothing is printed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._started_at = 0.0
        self._activity = ""
        self._token_counter = TokenCounter()
        self._stream: MarkdownStream | None = None

    def begin(self) -> None:
        """Start the clock and the spinner of a turn."""
        self._started_at, self._token_counter = perf_counter(), TokenCounter()
        self._show_status("thinking")

    def pause(self) -> None:
        """Stop the spinner and the stream, so that others can print."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            self._console.print()

    def tick(self) -> None:
        """Refresh the spinner's time."""
        if self._status is not None:
            self._status.update(self._line())

    def on_line(self, line: JsonObject) -> None:
        """Print the reminders in a message to the model."""
        entry = parse_entry(line)
        for block in entry.blocks_of_type("text") if entry.type == "user" else ():
            text = str(block.get("text") or "")
            if text.startswith(REMINDER_TAG) or entry.is_meta:
                self.show(format_reminder(text))

    def on_text(self, piece: str) -> None:
        """Print a piece of the answer."""
        self._token_counter.add(piece)
        if self._stream is None:
            self.pause()
            self._console.print("\n< ", end="", style="bold")
            self._stream = self._open_stream(len("< "))
        self._stream.add(escape_controls(piece))

    def on_event(self, event: Event) -> None:
        """Print the event, or show it beside the spinner."""
        match event:
            case ModelAsked():
                self._show_status("thinking")
            case ModelReplied():
                self._on_reply(event)
            case ToolStarted():
                self._show_status(format_call(event.name, event.arguments))
            case ToolOutputPiece():
                self._show_status(
                    event.text.strip().splitlines()[-1][:60] if event.text.strip() else ""
                )
            case ToolFinished():
                self.show(format_result(event.invocation))
                if added := format_added_reminder(event.invocation):
                    self.show(added)
            case _:
                pass

    def on_warning(self, message: str) -> None:
        """Print a message of the program."""
        self.show(Text(f"  {escape_controls(message)}", style="yellow"))

    def on_ended(self, outcome: TurnOutcome) -> None:
        """Print withheld calls and the error of a turn."""
        self.pause()
        if outcome.withheld:
            calls = json.dumps([use.block for use in outcome.withheld], indent=2)
            self._console.print(Text(escape_controls(calls)), soft_wrap=True)
        if outcome.error:
            self.show(Text(escape_controls(outcome.error), style="red"))

    def say(self, text: str) -> None:
        """Print the output of a command as Markdown."""
        self.pause()
        stream = self._open_stream(0)
        stream.add(f"{escape_controls(text)}\n")

    def show(self, line: Text) -> None:
        """Print a line above the spinner."""
        is_spinning = self._status is not None
        if self._stream is not None:
            self.pause()
        self._console.print(line, soft_wrap=not self._console.is_terminal)
        if is_spinning:
            self.tick()

    def _on_reply(self, event: ModelReplied) -> None:
        if event.text and self._stream is None:
            self.on_text(event.text)
        self.pause()
        self._console.print(Text(format_usage(event.usage), style="dim"))

    def _show_status(self, activity: str) -> None:
        self._activity = activity or self._activity
        if self._status is None and self._console.is_terminal and self._stream is None:
            self._status = self._console.status(self._line())
            self._status.start()
        self.tick()

    def _open_stream(self, start_column: int) -> MarkdownStream:
        return MarkdownStream(self._write, self._width, start_column)

    def _write(self, piece: Text) -> None:
        self._console.print(piece, end="", soft_wrap=True)

    def _width(self) -> int:
        return self._console.width if self._console.is_terminal else sys.maxsize

    def _line(self) -> Text:
        seconds = perf_counter() - self._started_at
        tokens = self._token_counter.tokens
        written = f" · {tokens} tokens" if tokens else ""
        return Text(f"{self._activity} ({seconds:.0f} s{written} · Esc stops)", style="dim")
