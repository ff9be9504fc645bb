"""What a snippet's own process says of its last value: hostile text until it is checked."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent_protocol.execution import Rich

MOST_BYTES: Final = 6 << 20
MOST_RICH: Final = 32
_MEDIA_TYPE: Final = re.compile(r"[a-z]{1,16}/[a-z0-9.+-]{1,80}")


class Values(BaseModel):
    """A program's last value in words, and what of it and of its figures can be shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    result_repr: str | None = Field(
        default=None, description="The repr of the value; null where there is none."
    )
    rich: tuple[Rich, ...] = Field(default=(), description="The value and the figures as media.")
    cut: bool = Field(default=False, description="Whether something was left out for its size.")


def values_in(body: bytes) -> Values:
    """The values in a frame; none at all where it is not well-formed."""
    if len(body) > MOST_BYTES:
        return Values()
    try:
        said = Values.model_validate_json(body)
    except ValidationError:
        return Values()
    return said if len(said.rich) <= MOST_RICH and all(map(_is_sound, said.rich)) else Values()


def _is_sound(rich: Rich) -> bool:
    if not _MEDIA_TYPE.fullmatch(rich.media_type) or (rich.text is None) == (rich.base64 is None):
        return False
    try:
        base64.b64decode(rich.base64 or "", validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
