"""The arguments of a call as their text says them, whatever its form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.lenient_json import Read, Unreadable, read_value
from mini_agent.tool_parsing.programs import unfenced
from mini_agent.tool_parsing.programs_ import does_something

LABEL: Final = re.compile(
    r"\A(?:json|arguments?|args|parameters|input)?\s*[:=]?\s*(?=[{\[])", re.IGNORECASE
)
TRAILING: Final = re.compile(r"(?:[\s}\]`;]|<[/|\uff5c][^<>]{0,60}>)*\Z")
STRINGS_IN_STRINGS: Final = 3
NOT_AN_OBJECT: Final = "the arguments are not a JSON object"
ENDS_EARLY: Final = f"{NOT_AN_OBJECT}: they end too early, so nothing was run; send them whole"


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a tool is called with, what was repaired, and what is wrong with it, if anything."""

    value: JsonValue
    repaired: tuple[str, ...] = ()
    problem: str = ""

    @property
    def named(self) -> JsonObject:
        """The arguments by name; none of them where they are of no such form."""
        return self.value if isinstance(self.value, dict) else {}


def read_arguments(written: str) -> Arguments:
    """What `written` says, whatever its form: an object, else a list, a text or a number."""
    text = unfenced(written).strip()
    repaired = ("the fence around the arguments was taken off",) if text != written.strip() else ()
    if not text:
        return Arguments({}, repaired)
    value: JsonValue = text
    for _ in range(STRINGS_IN_STRINGS):
        if not isinstance(value, str) or not _is_json_like(value):
            break
        try:
            read = _read_all(value)
        except Unreadable as wrong:
            return _as_text(value, repaired, f"{NOT_AN_OBJECT}: {wrong}")
        if read.is_cut or read.unclosed:
            return Arguments({}, repaired, ENDS_EARLY)
        repaired = (*repaired, *_remarks(value, is_inner=value is not text))
        value = read.value
    return Arguments({} if value is None else value, repaired)


def _is_json_like(text: str) -> bool:
    return bool(LABEL.match(text)) or text.strip()[:1] == '"' or text.strip() in ("null", "None")


def _read_all(text: str) -> Read:
    label = LABEL.match(text)
    read = read_value(text, label.end() if label else 0)
    if not read.is_cut and not TRAILING.match(text, read.end) and not _repeats(text, read):
        raise Unreadable(read.end)
    return read


def _repeats(text: str, read: Read) -> bool:
    """Some servers send the same arguments twice over."""
    try:
        again = read_value(text, read.end)
    except Unreadable:
        return False
    return again.value == read.value and not text[again.end :].strip()


def _as_text(text: str, repaired: tuple[str, ...], problem: str) -> Arguments:
    """Text that only begins as JSON does: a program may begin with a bracket."""
    if text.lstrip()[:1] in "[(" and does_something(text):
        return Arguments(text, repaired)
    return Arguments({}, repaired, problem)


def _remarks(text: str, *, is_inner: bool) -> tuple[str, ...]:
    if is_inner:
        return ("the arguments were JSON inside a string",)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return ("the arguments were not quite JSON",)
    return ()
