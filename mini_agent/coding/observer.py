"""Who sees what happens: terminals, output formats, and the assistant's own memory of files."""

from __future__ import annotations

from typing import Protocol

from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.usage import TurnOutcome
from mini_agent.events import Event
from mini_agent.messages import JsonObject


class Observer(Protocol):
    """Is shown everything, and must not raise."""

    def on_line(self, line: JsonObject) -> None:
        """A line of the transcript was written."""
        ...

    def on_event(self, event: Event) -> None:
        """Something happened in a run."""
        ...

    def on_text(self, piece: str) -> None:
        """A piece of an answer has come."""
        ...

    def on_warning(self, message: str) -> None:
        """The program has something to say to the user."""
        ...

    def on_denied(self, call: ToolUse) -> None:
        """A call was not allowed."""
        ...

    def on_ended(self, outcome: TurnOutcome) -> None:
        """A turn of the user's is over."""
        ...


class NullObserver:
    """The watcher of a session that nobody watches."""

    def on_line(self, line: JsonObject) -> None:
        """Nothing."""

    def on_event(self, event: Event) -> None:
        """Nothing."""

    def on_text(self, piece: str) -> None:
        """Nothing."""

    def on_warning(self, message: str) -> None:
        """Nothing."""

    def on_denied(self, call: ToolUse) -> None:
        """Nothing."""

    def on_ended(self, outcome: TurnOutcome) -> None:
        """Nothing."""
