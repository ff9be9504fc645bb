"""Calls in the syntax of a programming language: `exec_python(code="print(1)")`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.lenient_json import Ended, Reader, Unreadable

KEYWORD: Final = re.compile(r"([A-Za-z_]\w*)\s*(?:=(?!=)|:(?=\s*[\"'\[{\d]))\s*")
RAW: Final = re.compile(r"[rR](?=[\"'])|[bBuU](?=[\"'])")


@dataclass(frozen=True, slots=True)
class Given:
    """What stands between the brackets of a call, and where they close."""

    arguments: JsonValue
    end: int
    is_whole: bool = True


def read_brackets(text: str, start: int, end: int | None = None) -> Given | None:
    """The arguments after the opening bracket at `start`; None when it is no call's.

    By name they become an object, one value alone stays what it is, several become a list.
    """
    reader = Reader(text, start + 1, len(text) if end is None else end)
    named: JsonObject = {}
    plain: list[JsonValue] = []
    try:
        while reader.peek() not in ")]":
            _one_argument(reader, named, plain)
            if reader.peek() == ",":
                reader.position += 1
            elif reader.peek() not in ")]":
                return None
    except Unreadable:
        return None
    except Ended:
        return Given(named or plain, reader.end, is_whole=False)
    if reader.unclosed:
        return Given(named or plain, reader.end, is_whole=False)
    return Given(_together(named, plain), reader.position + 1)


def _one_argument(reader: Reader, named: JsonObject, plain: list[JsonValue]) -> None:
    keyword = KEYWORD.match(reader.text, reader.position, reader.end)
    reader.position = keyword.end() if keyword else reader.position
    if raw := RAW.match(reader.text, reader.position, reader.end):
        reader.position = raw.end()
    value = reader.value("")
    while isinstance(value, str) and reader.peek() in "\"'":
        value += reader.string()
    if keyword:
        named[keyword[1]] = value
    else:
        plain.append(value)


def _together(named: JsonObject, plain: list[JsonValue]) -> JsonValue:
    if named:
        return {**named, **{f"arg{place}": value for place, value in enumerate(plain)}}
    if len(plain) == 1:
        return plain[0]
    return plain or {}
