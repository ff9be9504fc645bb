"""Observers of a session, such as the terminal's screen and the output formats."""

from __future__ import annotations

from typing import Protocol

from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.usage import TurnOutcome
from mini_agent.events import Event
from mini_agent.messages import JsonObject


class Observer(Protocol):
    """Receives everything that happens in a session; its methods must not raise."""

    def on_line(self, line: JsonObject) -> None:
        """Receive a line that was appended to the transcript."""
        ...

    def on_event(self, event: Event) -> None:
        """Receive an event of a run."""
        ...

    def on_text(self, piece: str) -> None:
        """Receive a piece of the model's streamed answer."""
        ...

    def on_warning(self, message: str) -> None:
        """Receive a message of the program to the user."""
        ...

    def on_denied(self, call: ToolUse) -> None:
        """Receive a call that was denied."""
        ...

    def on_ended(self, outcome: TurnOutcome) -> None:
        """Receive the outcome of a turn."""
        ...


class NullObserver:
    """An observer that ignores everything."""

    def on_line(self, line: JsonObject) -> None:
        """Ignore it."""

    def on_event(self, event: Event) -> None:
        """Ignore it."""

    def on_text(self, piece: str) -> None:
        """Ignore it."""

    def on_warning(self, message: str) -> None:
        """Ignore it."""

    def on_denied(self, call: ToolUse) -> None:
        """Ignore it."""

    def on_ended(self, outcome: TurnOutcome) -> None:
        """Ignore it."""
