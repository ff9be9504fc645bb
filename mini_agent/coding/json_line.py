"""Where in a JSON text a value stands, for whoever has to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

BLANK: Final = " \t\r\n"
DECODER: Final = json.JSONDecoder()


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line of the value at `path` in a valid text; a step that is not there ends the way."""
    place = _after(text, 0)
    for step in path:
        inside = dict(_inside(text, place))
        if step not in inside:
            break
        place = inside[step]
    return text.count("\n", 0, place) + 1


def _inside(text: str, place: int) -> Iterator[tuple[str | int, int]]:
    """The keys of the object or list that begins at `place`, and where their values do."""
    opens, place, number = text[place], _after(text, place + 1), 0
    while opens in "{[" and text[place] not in "}]":
        key: str | int = number
        if opens == "{":
            key, place = DECODER.raw_decode(text, place)
            place = _after(text, text.index(":", place) + 1)
        yield key, place
        place = _after(text, DECODER.raw_decode(text, place)[1])
        place = _after(text, place + 1) if text[place] == "," else place
        number += 1


def _after(text: str, place: int) -> int:
    """The first place from there on that is not blank."""
    while place < len(text) and text[place] in BLANK:
        place += 1
    return place
