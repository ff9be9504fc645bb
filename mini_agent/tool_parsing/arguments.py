"""Parses a call's arguments and normalizes them to the tool's parameters.

Arguments come as JSON, nearly JSON, plain text or in Python's syntax, `(code="print(1)")`; names
are mapped to the tool's own, and programs are repaired.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
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
from mini_agent.tool_parsing.programs import (
    has_function_call,
    is_python,
    repair_program,
    strip_fence,
)
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import (
    get_tool_language,
    normalize_spelling,
    resolve_argument_aliases,
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
            return _parse_as_text(value, repaired, f"{NOT_AN_OBJECT}: {wrong}")
        if read.is_cut or read.unclosed:
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


def normalize_arguments(tool: OfferedTool, given: ParsedArguments) -> ParsedArguments:
    """Map `given` to the tool's own parameter names and repair its programs."""
    if given.problem:
        return given
    shaped = _assign_names(tool, given)
    if shaped.problem:
        return shaped
    non_null: JsonObject = {}
    non_null.update((name, value) for name, value in shaped.named.items() if value is not None)
    named = resolve_argument_aliases(non_null, tool)
    adopted = _rename_unknown_argument(tool, ParsedArguments(named.arguments))
    notes = [*shaped.repaired, *named.renamed, *adopted.repaired]
    arguments: JsonObject = {}
    for name, value in adopted.named.items():
        arguments[name], repairs = repair_value(tool, name, value)
        notes.extend(repairs)
    return ParsedArguments(arguments, tuple(notes))


def _assign_names(tool: OfferedTool, given: ParsedArguments) -> ParsedArguments:
    value = _parse_keywords(tool, given.value)
    if isinstance(value, list):
        value = _convert_list(tool, value)
    if isinstance(value, dict):
        return _unwrap(tool, replace(given, value=value))
    parameter = sole_parameter(tool)
    text = value if isinstance(value, str) else None
    if parameter and isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value) if get_tool_language(tool) is None else None
    if text is None or not parameter or not accepts_text(tool, text):
        return replace(given, value={}, problem=f"{NOT_AN_OBJECT}, but {json.dumps(value):.80}")
    note = f"the bare text was taken as {parameter}"
    return replace(given, value={parameter: text}, repaired=(*given.repaired, note))


def _parse_keywords(tool: OfferedTool, value: JsonValue) -> JsonValue:
    """Parse Python's syntax, `code="print(1)"`, and a program used as its own key."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, nested),) = value.items()
        is_program = get_tool_language(tool) == "python" and has_function_call(key)
        return key if is_program and nested in (None, "", {}, True) else value
    if not isinstance(value, str):
        return value
    given = parse_bracketed_arguments(f"({value})", 0)
    named = given.arguments if given and given.is_whole and given.end == len(value) + 2 else None
    if not isinstance(named, dict):
        return value
    return (
        named
        if set(resolve_argument_aliases(named, tool).arguments) & set(tool.parameters)
        else value
    )


def _convert_list(tool: OfferedTool, items: list[JsonValue]) -> JsonValue:
    pairs = {
        str(item["name"]): item["value"]
        for item in items
        if isinstance(item, dict) and set(item) >= {"name", "value"}
    }
    if pairs:
        return dict(pairs)
    if len(items) == 1:
        return items[0]
    texts = [item for item in items if isinstance(item, str)]
    if items and len(texts) == len(items) and get_tool_language(tool) not in (None, "bash"):
        return "\n".join(texts)
    return list(items)


def _unwrap(tool: OfferedTool, given: ParsedArguments) -> ParsedArguments:
    """Remove an object around the arguments: {"arguments": {...}}."""
    for key, nested in given.named.items():
        if (
            normalize_spelling(key) not in WRAPPER_KEYS
            or key in tool.parameters
            or len(given.named) > 3
        ):
            continue
        is_text = isinstance(nested, str) and nested.lstrip().startswith("{")
        inner = parse_arguments(nested).value if isinstance(nested, str) and is_text else nested
        if isinstance(inner, dict):
            note = f"the arguments were taken out of {key}"
            return ParsedArguments(inner, (*given.repaired, note))
    return given


def _rename_unknown_argument(tool: OfferedTool, given: ParsedArguments) -> ParsedArguments:
    """Rename the one unknown text argument to the one that is missing."""
    missing = [name for name in tool.required if name not in given.named]
    strangers = [
        name
        for name, value in given.named.items()
        if name not in tool.parameters
        and normalize_spelling(name) not in METADATA_NAMES
        and isinstance(value, str)
        and accepts_text(tool, value)
    ]
    if len(missing) != 1 or len(strangers) != 1 or parameter_type(tool, missing[0]) != TEXT_TYPE:
        return given
    note = f"argument {strangers[0]} was taken as {missing[0]}"
    renamed = {missing[0] if n == strangers[0] else n: v for n, v in given.named.items()}
    return ParsedArguments(renamed, (note,))


def repair_value(
    tool: OfferedTool, name: str, value: JsonValue
) -> tuple[JsonValue, tuple[str, ...]]:
    """Repair the value of the parameter `name`; returns it with a note for each repair."""
    if name not in tool.required or parameter_type(tool, name) != TEXT_TYPE:
        return value, ()
    language = get_tool_language(tool)
    notes: tuple[str, ...] = ()
    text = _join_text(value, shell=language == "bash")
    if text is not None and text != value:
        notes = (f"{name} was made one text",)
    if text is None or language is None:
        return (value if text is None else text), notes
    if language == "python" and (inner := _extract_program(text)) is not None:
        text, notes = inner, (*notes, "the program was taken out of JSON inside a string")
    program = repair_program(text, language)
    return program.text, (*notes, *program.repairs)


def _join_text(value: JsonValue, *, shell: bool) -> str | None:
    if isinstance(value, dict) and len(value) <= 2:
        inner = next((each for each in value.values() if isinstance(each, str)), None)
        return _text_of_object(value, inner)
    if isinstance(value, list) and value:
        texts = [item for item in value if isinstance(item, str)]
        if len(texts) == len(value):
            return shlex.join(texts) if shell else "\n".join(line.rstrip("\n") for line in texts)
    return value if isinstance(value, str) else None


def _text_of_object(value: JsonObject, only: str | None) -> str | None:
    text = next((value[key] for key in VALUE_KEYS if key in value), None)
    return text if isinstance(text, str) else only if len(value) == 1 else None


def _extract_program(text: str) -> str | None:
    """Extract the program if `text` is {"code": ...} once more, or a quoted string."""
    if text.lstrip()[:1] not in '{"' or (text.lstrip()[:1] == "{" and has_function_call(text)):
        return None
    read = parse_arguments(text)
    if isinstance(read.value, str) and read.value != text and is_python(read.value):
        return read.value
    inner = [each for each in read.named.values() if isinstance(each, str)]
    return inner[0] if len(read.named) == 1 and inner and has_function_call(inner[0]) else None


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
