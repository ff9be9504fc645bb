"""Parses a call's arguments and normalizes them to the tool's parameters.

Arguments come as JSON, nearly JSON, plain text or in Python's syntax, `(code="print(1)")`; names
are mapped to the tool's own, and programs are repaired.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.lenient_json import (
    JsonReader,
    LenientJsonError,
    ParsedJson,
    UnexpectedEnd,
    parse_json,
)
from mini_agent.tool_parsing.object_repair import (
    OBJECT_CLOSED,
    OBJECT_REPAIRED,
    close_object,
    repair_object,
)
from mini_agent.tool_parsing.programs import (
    has_function_call,
    repair_program,
    strip_fence,
)
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import (
    get_tool_language,
    split_words,
)

ARGUMENTS_LABEL: Final = re.compile(
    r"\A(?:json|arguments?|args|parameters|input)?\s*[:=]?\s*(?=[{\[])", re.IGNORECASE
)
TRAILING_BRACKETS: Final = re.compile(r"(?:[\s}\]`;]|<[/|\uff5c][^<>]{0,60}>)*\Z")
MAX_NESTED_STRINGS: Final = 3
NOT_AN_OBJECT: Final = "the arguments are not a JSON object"
ARGUMENTS_CUT: Final = f"{NOT_AN_OBJECT}: they end too early, so nothing was run; send them whole"
TEXT_TYPE: Final = "string"
VALUE_KEYS: Final = ("value", "code", "text", "string", "content")
KEYWORD: Final = re.compile(r"([A-Za-z_]\w*)\s*(?:=(?!=)|:(?=\s*[\"'\[{\d]))\s*")
STRING_PREFIX: Final = re.compile(r"[rR](?=[\"'])|[bBuU](?=[\"'])")
WRAPPER_KEYS: Final = split_words(
    "arguments args argument parameters params parameter kwargs input inputs properties "
    "toolinput toolargs actioninput payload data body"
)
METADATA_NAMES: Final = split_words(
    "file filename filepath path url cwd dir directory language lang name id title description "
    "explanation reason thought thoughts type kind role status workdir"
)


@dataclass(frozen=True, slots=True)
class ParsedArguments:
    """The arguments of a call, the repairs made to them, and what is wrong, if anything."""

    value: JsonValue
    repaired: tuple[str, ...] = ()
    problem: str = ""

    @property
    def named(self) -> JsonObject:
        """The arguments by name; empty if they are not an object."""
        return self.value if isinstance(self.value, dict) else {}


def parse_arguments(source: str) -> ParsedArguments:
    """Parse `source` as an object, else a list, a text or a number."""
    text = strip_fence(source).strip()
    repaired = ("the fence around the arguments was taken off",) if text != source.strip() else ()
    if not text:
        return ParsedArguments({}, repaired)
    value: JsonValue = text
    for _ in range(MAX_NESTED_STRINGS):
        if not isinstance(value, str) or not _is_json_like(value):
            break
        try:
            read = _parse_whole(value)
        except LenientJsonError as wrong:
            found = repair_object(value)
            if found is not None:
                return ParsedArguments(found, (*repaired, OBJECT_REPAIRED))
            return _parse_as_text(value, repaired, f"{NOT_AN_OBJECT}: {wrong}")
        if read.is_cut or read.unclosed:
            found = close_object(value)
            if found is not None:
                return ParsedArguments(found, (*repaired, OBJECT_CLOSED))
            return ParsedArguments({}, repaired, ARGUMENTS_CUT)
        repaired = (*repaired, *_describe_repairs(value, is_inner=value is not text))
        value = read.value
    return ParsedArguments({} if value is None else value, repaired)


def _is_json_like(text: str) -> bool:
    return (
        bool(ARGUMENTS_LABEL.match(text))
        or text.strip()[:1] == '"'
        or text.strip() in ("null", "None")
    )


def _parse_whole(text: str) -> ParsedJson:
    label = ARGUMENTS_LABEL.match(text)
    read = parse_json(text, label.end() if label else 0)
    if (
        not read.is_cut
        and not TRAILING_BRACKETS.match(text, read.end)
        and not _is_repeated(text, read)
    ):
        raise LenientJsonError(read.end)
    return read


def _is_repeated(text: str, read: ParsedJson) -> bool:
    """Tell whether the rest repeats the value; some servers send arguments twice."""
    try:
        again = parse_json(text, read.end)
    except LenientJsonError:
        return False
    return again.value == read.value and not text[again.end :].strip()


def _parse_as_text(text: str, repaired: tuple[str, ...], problem: str) -> ParsedArguments:
    """Accept text that only starts like JSON: a program may start with a bracket."""
    if text.lstrip()[:1] in "[(" and has_function_call(text):
        return ParsedArguments(text, repaired)
    return ParsedArguments({}, repaired, problem)


def _describe_repairs(text: str, *, is_inner: bool) -> tuple[str, ...]:
    if is_inner:
        return ("the arguments were JSON inside a string",)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return ("the arguments were not quite JSON",)
    return ()


def sole_parameter(tool: OfferedTool) -> str | None:
    """The one parameter that a bare text can be meant for; None if there is no such one."""
    candidates = tool.required or tool.parameters
    if len(candidates) == 1 and parameter_type(tool, candidates[0]) == TEXT_TYPE:
        return candidates[0]
    return None


def parameter_type(tool: OfferedTool, parameter: str) -> str:
    """The JSON type of a parameter; "string" if the schema does not say."""
    function = tool.schema.get("function")
    schema = function.get("parameters") if isinstance(function, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    described = properties.get(parameter) if isinstance(properties, dict) else None
    kind = described.get("type") if isinstance(described, dict) else None
    return kind if isinstance(kind, str) else TEXT_TYPE


def accepts_text(tool: OfferedTool, text: str) -> bool:
    """Tell whether a text without a name may be the tool's program; a file name is none."""
    language = get_tool_language(tool)
    if language == "python":
        return has_function_call(repair_program(text, language).text)
    return bool(text.strip()) and not (language == "bash" and text.lstrip()[:1] in "{[")


@dataclass(frozen=True, slots=True)
class BracketedArguments:
    """The arguments between the brackets of a call; `end` is after the closing one."""

    arguments: JsonValue
    end: int
    is_whole: bool = True


def parse_bracketed_arguments(
    text: str, start: int, end: int | None = None
) -> BracketedArguments | None:
    """Parse the arguments after the bracket at `start`; None if it opens no call.

    Named arguments become an object, a single value stays as it is, several become a list.
    """
    reader = JsonReader(text, start + 1, len(text) if end is None else end)
    named: JsonObject = {}
    plain: list[JsonValue] = []
    try:
        while reader.peek() not in ")]":
            _parse_argument(reader, named, plain)
            if reader.peek() == ",":
                reader.position += 1
            elif reader.peek() not in ")]":
                return None
    except LenientJsonError:
        return None
    except UnexpectedEnd:
        return BracketedArguments(named or plain, reader.end, is_whole=False)
    if reader.unclosed:
        return BracketedArguments(named or plain, reader.end, is_whole=False)
    return BracketedArguments(_combine_arguments(named, plain), reader.position + 1)


def _parse_argument(reader: JsonReader, named: JsonObject, plain: list[JsonValue]) -> None:
    keyword = KEYWORD.match(reader.text, reader.position, reader.end)
    reader.position = keyword.end() if keyword else reader.position
    if raw := STRING_PREFIX.match(reader.text, reader.position, reader.end):
        reader.position = raw.end()
    value = reader.value("")
    while isinstance(value, str) and reader.peek() in "\"'":
        value += reader.string()
    if keyword:
        named[keyword[1]] = value
    else:
        plain.append(value)


def _combine_arguments(named: JsonObject, plain: list[JsonValue]) -> JsonValue:
    if named:
        return {**named, **{f"arg{place}": value for place, value in enumerate(plain)}}
    if len(plain) == 1:
        return plain[0]
    return plain or {}
