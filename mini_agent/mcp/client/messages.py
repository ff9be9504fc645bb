"""What a server sends that is wrong: lines that are no messages, and listings without an end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from mcp import MCPError
from mcp.shared.message import SessionMessage
from mcp.types import INTERNAL_ERROR, METHOD_NOT_FOUND, ErrorData, JSONRPCError
from pydantic import ValidationError

from mini_agent.errors import ToolsUnavailable

SDK_LOGGER: Final = "mcp.client.stdio"
MAX_CHARS: Final = 80
MAX_PAGES: Final = 100
INVALID_ANSWER: Final = "it answers with something that is no result"


@dataclass(slots=True)
class StrayOutput:
    """The lines that are no messages; the first one is kept."""

    count: int = 0
    first: str = ""

    def convert(self, error: Exception) -> SessionMessage | None:
        """Convert an invalid answer to an error answer, which ends the wait; None for other lines.

        The SDK gives the line as the inputs of its validation errors.
        """
        inputs = [*_iter_inputs(error)]
        for value in inputs:
            own = value.get("id") if isinstance(value, dict) and "method" not in value else None
            if isinstance(own, int | str) and not isinstance(own, bool):
                data = ErrorData(code=INTERNAL_ERROR, message=INVALID_ANSWER)
                return SessionMessage(JSONRPCError(jsonrpc="2.0", id=own, error=data))
        self.count += 1
        self.first = self.first or f"{next(iter(inputs), error)!s:.{MAX_CHARS}}"
        return None

    @property
    def remark(self) -> str:
        """A sentence on the lines; empty where there are none."""
        if not self.count:
            return ""
        return f"it prints on standard output what is no message: {self.first!r}"


def _iter_inputs(error: Exception) -> Iterator[object]:
    if isinstance(error, ValidationError):
        for each in error.errors(include_url=False):
            yield each["input"]


def silence_sdk() -> None:
    """Keep the SDK from logging a traceback for each such line, which `StrayOutput` reports."""
    logging.getLogger(SDK_LOGGER).disabled = True


@dataclass(slots=True)
class Cursors:
    """The cursors of a listing's pages; `failure` begins the message of an error."""

    failure: str
    next: str | None = None
    has_more: bool = True
    _known: set[str] = field(default_factory=set)

    def advance(self, cursor: str | None) -> None:
        """Go on to the next page; raises `ToolsUnavailable` where the pages have no end."""
        self.next, self.has_more = cursor, cursor is not None
        if cursor is None:
            return
        if cursor in self._known or len(self._known) >= MAX_PAGES:
            raise ToolsUnavailable(f"{self.failure}: its pages have no end")
        self._known.add(cursor)

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Raise `ToolsUnavailable` for an answer that is none; no such method is an empty list."""
        try:
            yield
        except MCPError as error:
            if error.code != METHOD_NOT_FOUND:
                raise ToolsUnavailable(f"{self.failure}: {join_lines(error)}") from error
        except (ValidationError, RuntimeError) as error:
            raise ToolsUnavailable(f"{self.failure}: {join_lines(error)}") from error


def join_lines(error: BaseException) -> str:
    """Return the message in one line."""
    return f"{' '.join(str(error).split()):.300}"
