"""A snippet's output: bounded streams, its last value, and the listener to both."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent_protocol.execution import Rich

MAX_VALUES_BYTES: Final = 6 << 20
MAX_RICH_VALUES: Final = 64
# From this limit on, a fourth of it is for the end of a stream, and a line tells of the gap.
MIN_SPLIT_BYTES: Final = 1024
GAP_BYTES: Final = 64
_MEDIA_TYPE: Final = re.compile(r"[a-z]{1,16}/[a-z0-9.+-]{1,80}")

StreamName = Literal["stdout", "stderr"]


class Listener(Protocol):
    """Is called at once as the snippet runs; must not block."""

    def on_start(self) -> None:
        """The program has started."""
        ...

    def on_output(self, stream: StreamName, content: bytes) -> None:
        """The program has written this, and it was accepted within the limit."""
        ...


class NullListener:
    """Ignores all output."""

    def on_start(self) -> None:
        """Do nothing."""

    def on_output(self, stream: StreamName, content: bytes) -> None:
        """Do nothing."""


class SnippetValues(BaseModel):
    """The repr of a program's last value, and the media of it and of its figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    result_repr: str | None = Field(
        default=None, description="The repr of the value; null where there is none."
    )
    rich: tuple[Rich, ...] = Field(default=(), description="The value and the figures as media.")
    skipped: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(), max_length=MAX_RICH_VALUES, description="What was left out, and why."
    )


def parse_values(body: bytes) -> SnippetValues:
    """Parse a values frame: a JSON object a line. It is untrusted; a malformed line ends it."""
    values = SnippetValues()
    if len(body) > MAX_VALUES_BYTES:
        return values
    for line in body.splitlines():
        try:
            added = SnippetValues.model_validate_json(line)
        except ValidationError:
            return values
        if len(values.rich) + len(added.rich) > MAX_RICH_VALUES or not all(
            map(_is_valid, added.rich)
        ):
            return values
        values = SnippetValues(
            result_repr=values.result_repr if added.result_repr is None else added.result_repr,
            rich=values.rich + added.rich,
            skipped=(*values.skipped, *added.skipped)[:MAX_RICH_VALUES],
        )
    return values


def _is_valid(rich: Rich) -> bool:
    if not _MEDIA_TYPE.fullmatch(rich.media_type) or (rich.text is None) == (rich.base64 is None):
        return False
    try:
        base64.b64decode(rich.base64 or "", validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


class BoundedOutput:
    """The beginning and the end of a stream of output, and how many bytes there were in total.

    Of a stream that is longer than the limit both are kept, and a line between them says how much
    is missing: a traceback comes last. A limit below `MIN_SPLIT_BYTES` keeps the beginning only.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        splits = limit >= MIN_SPLIT_BYTES
        self._head_limit = limit - limit // 4 - GAP_BYTES if splits else limit
        self._tail_limit = limit - self._head_limit
        self._head, self._tail, self._end = bytearray(), bytearray(), b""
        self.total_bytes = 0

    @property
    def truncated(self) -> bool:
        """Whether there was more than the limit."""
        return self.total_bytes > self._limit

    def add(self, content: bytes) -> bytes:
        """Count the bytes, keep what still fits, and return what of it belongs to the beginning."""
        self.total_bytes += len(content)
        accepted = content[: self._head_limit - len(self._head)]
        if len(accepted) < len(content):
            accepted = _to_character(accepted)
            self._head_limit = len(self._head) + len(accepted)
        self._head += accepted
        self._tail += content[len(accepted) :]
        del self._tail[: max(0, len(self._tail) - self._tail_limit)]
        return accepted

    def close(self) -> bytes:
        """Take no more; return what comes after the beginning."""
        if not self.truncated:
            self._end = bytes(self._tail)
        elif self._tail_limit:
            tail = _from_character(bytes(self._tail[-(self._limit // 4) :]))
            missing = self.total_bytes - len(self._head) - len(tail)
            self._end = f"\n[... {missing} bytes are left out here ...]\n".encode() + tail
        return self._end

    def text(self) -> str:
        """Decode what is kept; a character that the limit cuts in half is left out."""
        return (bytes(self._head) + self._end).decode(errors="replace")


def _from_character(content: bytes) -> bytes:
    """Return the content without the rest of a character at its beginning."""
    starts = (at for at in range(min(4, len(content))) if content[at] & 0xC0 != 0x80)
    return content[next(starts, 0) :]


def _to_character(content: bytes) -> bytes:
    """Return the content without the beginning of a character at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(content[-4:])
    return content[: len(content) - len(decoder.getstate()[0])]
