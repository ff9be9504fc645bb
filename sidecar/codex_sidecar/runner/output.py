"""Output as it is kept: the first bytes of a stream, and how many there were.

What a snippet's own process says of its last value: hostile text until it is checked.

Whoever wants to know of a snippet before it is over.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent_protocol.execution import Rich

StreamName = Literal["stdout", "stderr"]


class Listener(Protocol):
    """Is told at once; it must not wait."""

    def on_start(self) -> None:
        """The program has started."""
        ...

    def on_output(self, stream: StreamName, content: bytes) -> None:
        """The program has printed this, and it is kept."""
        ...


class NullListener:
    """Listens to nothing."""

    def on_start(self) -> None:
        """Nothing comes of it."""

    def on_output(self, stream: StreamName, content: bytes) -> None:
        """Nothing comes of it."""


MAX_VALUES_BYTES: Final = 6 << 20
MAX_RICH_VALUES: Final = 32
_MEDIA_TYPE: Final = re.compile(r"[a-z]{1,16}/[a-z0-9.+-]{1,80}")


class SnippetValues(BaseModel):
    """A program's last value in words, and what of it and of its figures can be shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    result_repr: str | None = Field(
        default=None, description="The repr of the value; null where there is none."
    )
    rich: tuple[Rich, ...] = Field(default=(), description="The value and the figures as media.")
    cut: bool = Field(default=False, description="Whether something was left out for its size.")


def parse_values(body: bytes) -> SnippetValues:
    """The values in a frame; none at all where it is not well-formed."""
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
    """One stream of output: the first bytes of it, and how many there were."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()
        self.total_bytes = 0

    @property
    def truncated(self) -> bool:
        """Whether there was more than is kept."""
        return self.total_bytes > len(self._content)

    def add(self, content: bytes) -> bytes:
        """Counts the chunk, keeps what still fits, and gives that back."""
        self.total_bytes += len(content)
        accepted = content[: self._limit - len(self._content)]
        self._content += accepted
        return accepted

    def text(self) -> str:
        """What is kept, as text; a character that the cut went through is left out."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return decoder.decode(bytes(self._content), final=not self.truncated)
