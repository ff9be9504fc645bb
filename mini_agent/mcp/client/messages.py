"""What a server sends that is wrong: lines that are no messages, and listings without an end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from mcp import MCPError
from mcp.shared.message import SessionMessage
from mcp.types import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    ErrorData,
    JSONRPCError,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from mini_agent.errors import ToolsUnavailable
from mini_agent.mcp.client.answers import find_ids
from mini_agent.mcp.client.refusals import is_session_lost
from mini_agent.mcp.client.server import SessionLost
from mini_agent.messages import replace_surrogate_escapes

SDK_LOGGERS: Final = ("mcp.client.stdio", "mcp.client.streamable_http", "mcp.client.sse")
MAX_CHARS: Final = 80
MAX_PAGES: Final = 1000
MESSAGE_MARK: Final = '"jsonrpc"'
INVALID_ANSWER: Final = "it answers with something that is no result"


@dataclass(slots=True)
class StrayOutput:
    """The lines that are no messages, of which the first is kept, and the malformed tools.

    `pending` holds the ids of requests without an answer.
    """

    count: int = 0
    first: str = ""
    malformed: list[str] = field(default_factory=list)
    pending: set[int | str] = field(default_factory=set)

    def convert(self, error: Exception) -> SessionMessage | None:
        """Convert an unreadable line to the message that it means, or to an error of its call.

        None for a line that is no message. The SDK gives the line as the inputs of its validation
        errors.
        """
        inputs = [*_iter_inputs(error)]
        line = next((value for value in inputs if isinstance(value, str | bytes)), "")
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        message = _read_cleaned(text)
        if message is not None:
            return message
        for own in [*_iter_answered(inputs), *self._find_pending(text)]:
            data = ErrorData(code=INTERNAL_ERROR, message=INVALID_ANSWER)
            return SessionMessage(JSONRPCError(jsonrpc="2.0", id=own, error=data))
        if text.strip() or not isinstance(error, ValidationError):
            self.count += 1
            self.first = self.first or f"{next(iter(inputs), error)!s:.{MAX_CHARS}}"
        return None

    @property
    def remark(self) -> str:
        """A sentence on the lines and the tools; empty where there are none."""
        said = []
        if self.count:
            said.append(f"it prints on standard output what is no message: {self.first!r}")
        if self.malformed:
            names = ", ".join(dict.fromkeys(self.malformed))
            said.append(f"its malformed tools are left out: {names:.200}")
        return "; ".join(said)

    def _find_pending(self, text: str) -> list[int | str]:
        """Return the id of the call that a broken line answers, where that is certain."""
        if MESSAGE_MARK not in text:
            return []
        named = [own for own in find_ids(text) if own in self.pending]
        return named or (list(self.pending) if len(self.pending) == 1 else [])


def _iter_inputs(error: Exception) -> Iterator[object]:
    if isinstance(error, ValidationError):
        for each in error.errors(include_url=False):
            yield each["input"]


def _iter_answered(inputs: Iterable[object]) -> Iterator[int | str]:
    """Yield the ids of answers that are JSON but no result."""
    for value in inputs:
        own = value.get("id") if isinstance(value, dict) and "method" not in value else None
        if isinstance(own, int | str) and not isinstance(own, bool):
            yield own


def _read_cleaned(line: str) -> SessionMessage | None:
    """Read a line whose lone surrogates, or a byte order mark, are all that is wrong with it."""
    cleaned = replace_surrogate_escapes(line.strip("\ufeff\x00").encode("utf-8", "replace"))
    if cleaned == line.encode("utf-8", "replace"):
        return None
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(cleaned, by_name=False))
    except ValidationError:
        return None


def silence_sdk() -> None:
    """Keep the SDK from logging a traceback for what errors and `StrayOutput` report."""
    for name in SDK_LOGGERS:
        logging.getLogger(name).disabled = True


@dataclass(slots=True)
class Cursors:
    """The cursors of a listing's pages; `failure` begins the message of an error.

    A cursor that is empty, or was there before, ends the listing.
    """

    failure: str
    redact: Callable[[str], str]
    has_address: bool = False
    next: str | None = None
    has_more: bool = True
    remark: str = ""
    _known: set[str] = field(default_factory=set)

    def advance(self, cursor: str | None) -> None:
        """Go on to the next page, if there is one."""
        is_full = len(self._known) >= MAX_PAGES
        self.next, self.has_more = cursor, bool(cursor) and cursor not in self._known
        if self.has_more and is_full:
            self.has_more = False
            self.remark = f"its listing has more than {MAX_PAGES} pages, and the rest is left out"
        self._known.add(cursor or "")

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Raise `ToolsUnavailable` for an answer that is none; no such method is an empty list."""
        try:
            yield
        except MCPError as error:
            if is_session_lost(error, has_address=self.has_address):
                raise SessionLost(self._describe(error)) from error
            if error.code != METHOD_NOT_FOUND:
                raise ToolsUnavailable(self._describe(error)) from error
        except (ValidationError, RuntimeError) as error:
            raise ToolsUnavailable(self._describe(error)) from error

    def _describe(self, error: Exception) -> str:
        return f"{self.failure}: {self.redact(join_lines(error))}"


def join_lines(error: BaseException) -> str:
    """Return the message in one line."""
    return f"{' '.join(str(error).split()):.300}"
