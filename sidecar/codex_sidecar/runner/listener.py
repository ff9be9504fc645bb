"""Whoever wants to know of a snippet before it is over."""

from __future__ import annotations

from typing import Literal, Protocol

StreamName = Literal["stdout", "stderr"]


class Listener(Protocol):
    """Is told at once; it must not wait."""

    def running(self) -> None:
        """The program has started."""
        ...

    def printed(self, stream: StreamName, content: bytes) -> None:
        """The program has printed this, and it is kept."""
        ...


class Nobody:
    """Listens to nothing."""

    def running(self) -> None:
        """Nothing comes of it."""

    def printed(self, stream: StreamName, content: bytes) -> None:
        """Nothing comes of it."""
