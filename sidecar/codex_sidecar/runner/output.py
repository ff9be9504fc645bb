"""A snippet's output: bounded streams, its last value, and the listener to both."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent_protocol.execution import Rich

MAX_VALUES_BYTES: Final = 6 << 20
MAX_RICH_VALUES: Final = 32
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
    cut: bool = Field(default=False, description="Whether something was left out for its size.")


def parse_values(body: bytes) -> SnippetValues:
    """Parse the body of a values frame, which is untrusted; empty where it is malformed."""
    if len(body) > MAX_VALUES_BYTES:
        return SnippetValues()
    try:
        values = SnippetValues.model_validate_json(body)
    except ValidationError:
        return SnippetValues()
    return (
        values
        if len(values.rich) <= MAX_RICH_VALUES and all(map(_is_valid, values.rich))
        else SnippetValues()
    )


def _is_valid(rich: Rich) -> bool:
    if not _MEDIA_TYPE.fullmatch(rich.media_type) or (rich.text is None) == (rich.base64 is None):
        return False
    try:
        base64.b64decode(rich.base64 or "", validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


class BoundedOutput:
    """The first bytes of a stream of output, and how many there were in total."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()
        self.total_bytes = 0

    @property
    def truncated(self) -> bool:
        """Whether there was more than the limit."""
        return self.total_bytes > len(self._content)

    def add(self, content: bytes) -> bytes:
        """Count the bytes, keep those that still fit, and return these."""
        self.total_bytes += len(content)
        accepted = content[: self._limit - len(self._content)]
        self._content += accepted
        return accepted

    def text(self) -> str:
        """Decode what is kept; a character that the limit cuts in half is left out."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return decoder.decode(bytes(self._content), final=not self.truncated)
