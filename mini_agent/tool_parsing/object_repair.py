"""Repairs arguments that even the lenient parser of JSON cannot read as an object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_json
from mini_agent.tool_parsing.programs import has_function_call

OBJECT_REPAIRED: Final = "the arguments were not quite a JSON object, and were repaired"
OBJECT_CLOSED: Final = "the last bracket of the arguments was missing"
BARE_PROGRAM: Final = re.compile(
    r"\A\{\s*[\"']?([A-Za-z_]\w*)[\"']?\s*[:=]\s*(?![\"'\[{])(.+?)\s*,?\s*\}\s*\Z", re.DOTALL
)
WITHOUT_BRACKETS: Final = re.compile(r"\A\s*\"[A-Za-z_]\w*\"\s*:")
WITHOUT_COLON: Final = re.compile(r"\A(\{\s*\"[A-Za-z_]\w*\")\s+(?=[\"'\[{])")
DOUBLED_BRACKETS: Final = re.compile(r"\A\{(\{.*\})\}\s*\Z", re.DOTALL)
EMPTY_OBJECT_FIRST: Final = re.compile(r"\A\{\s*\}\s*(?=\{)")


def repair_object(text: str) -> JsonObject | None:
    """The object that unreadable `text` plainly means; None if there is none."""
    program = BARE_PROGRAM.match(text)
    if program and has_function_call(program[2]):
        return {program[1]: program[2]}
    return next((found for each in _candidates(text) if (found := _parse_all(each))), None)


def _candidates(text: str) -> Iterator[str]:
    if text.startswith('{\\"'):
        yield text.replace('\\"', '"')
    if WITHOUT_BRACKETS.match(text):
        yield f"{{{text}}}"
    for pattern, replacement in (
        (WITHOUT_COLON, r"\1: "),
        (DOUBLED_BRACKETS, r"\1"),
        (EMPTY_OBJECT_FIRST, ""),
    ):
        if pattern.match(text):
            yield pattern.sub(replacement, text)


def _parse_all(text: str) -> JsonObject | None:
    try:
        read = parse_json(text, 0)
    except LenientJsonError:
        return None
    is_all = not text[read.end :].strip() and not read.is_cut and not read.unclosed
    return read.value if is_all and isinstance(read.value, dict) else None


def close_object(text: str) -> JsonObject | None:
    """The object that lacks only its last bracket, if a program in it is whole; else None.

    A command line that was cut may be valid and do harm, so only programs of Python are closed.
    """
    try:
        value = json.loads(f"{text.rstrip()}}}")
    except ValueError:
        return None
    texts = [each for each in value.values() if isinstance(each, str)]
    return value if any(has_function_call(each) for each in texts) else None
