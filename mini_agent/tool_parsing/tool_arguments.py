"""Normalizes a call's parsed arguments to the tool's parameters.

Of a foreign tool nothing is changed that its schema takes; names and programs of our own tools are
repaired as weak models need it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.arguments import (
    NOT_AN_OBJECT,
    TEXT_TYPE,
    ParsedArguments,
    accepts_text,
    parameter_type,
    parse_arguments,
    parse_bracketed_arguments,
    sole_parameter,
)
from mini_agent.tool_parsing.program_arguments import repair_program_argument
from mini_agent.tool_parsing.programs import has_function_call
from mini_agent.tool_parsing.schema import (
    InvalidSchema,
    SchemaValidator,
    create_validator,
    describe_error,
    report_invalid_schema,
)
from mini_agent.tool_parsing.schema_repair import repair_arguments
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import (
    get_tool_language,
    is_own_tool,
    normalize_name,
    normalize_spelling,
    resolve_argument_aliases,
    split_words,
)

if TYPE_CHECKING:
    from jsonschema import ValidationError

WRAPPER_KEYS: Final = split_words(
    "arguments args argument parameters params parameter kwargs input inputs properties "
    "toolinput toolargs actioninput payload data body"
)
# What a call has beside its arguments, where a model puts all of it into them.
CALL_KEYS: Final = split_words("name tool toolname function type id callid toolcallid")
CALL_KINDS: Final = ("function", "tooluse", "toolcall", "object")
METADATA_NAMES: Final = split_words(
    "file filename filepath path url cwd dir directory language lang name id title description "
    "explanation reason thought thoughts type kind role status workdir"
)
MAX_ERRORS: Final = 3
INVALID_ARGUMENTS: Final = "invalid arguments, so nothing was run"


def normalize_arguments(tool: OfferedTool, given: ParsedArguments) -> ParsedArguments:
    """Map `given` to the tool's parameters, change what its schema does not take, and validate it.

    The problem of arguments that stay invalid has each path, what came there and what is allowed.
    """
    if given.problem:
        return given
    validator = create_validator(tool.name, tool.parameters_schema)
    try:
        return _normalize(tool, given, validator)
    except InvalidSchema as why:
        report_invalid_schema(tool.name, str(why))
        return _normalize(tool, given, None)


def _normalize(
    tool: OfferedTool, given: ParsedArguments, validator: SchemaValidator | None
) -> ParsedArguments:
    if isinstance(given.value, dict) and not is_own_tool(tool):
        if validator is None:
            return given
        if not validator.errors(given.value) and not _is_wrapped(tool, given.named):
            return _respell(tool, given)
    shaped = _assign_names(tool, given)
    named = shaped if shaped.problem else _name_arguments(tool, shaped, validator)
    return named if named.problem or validator is None else _repair(named, validator)


def _respell(tool: OfferedTool, given: ParsedArguments) -> ParsedArguments:
    """Give unknown arguments the parameters' own letter case and separators."""
    if "additionalProperties" in tool.parameters_schema:
        return given
    named, notes = dict(given.named), []
    for key in [key for key in named if key not in tool.parameters]:
        missing = [each for each in tool.parameters if each not in named]
        same = [each for each in missing if normalize_name(each) == normalize_name(key) != ""]
        if len(same) == 1:
            named = {same[0] if name == key else name: value for name, value in named.items()}
            notes.append(f"argument {key} was taken as {same[0]}")
    return ParsedArguments(named, (*given.repaired, *notes))


def _name_arguments(
    tool: OfferedTool, given: ParsedArguments, validator: SchemaValidator | None
) -> ParsedArguments:
    """Give the arguments the parameters' own names; repair the programs of our tools."""
    kept = _drop_nulls(tool, given.named, validator)
    if is_own_tool(tool):
        aliased = resolve_argument_aliases(kept, tool)
    else:
        spelled = _respell(tool, ParsedArguments(kept))
        aliased = resolve_argument_aliases(
            spelled.named, replace(tool, parameters=tuple(_missing(tool, spelled.named)))
        )
        aliased = aliased._replace(renamed=(*spelled.repaired, *aliased.renamed))
    adopted = _rename_unknown_argument(tool, ParsedArguments(aliased.arguments))
    absent = [] if is_own_tool(tool) else [name for name in given.named if name not in kept]
    left_out = [f"argument {name} was left out, because it was null" for name in absent]
    notes = [*given.repaired, *left_out, *aliased.renamed, *adopted.repaired]
    arguments: JsonObject = {}
    for name, value in adopted.named.items():
        arguments[name], repairs = repair_program_argument(tool, name, value)
        notes.extend(repairs)
    return ParsedArguments(arguments, tuple(notes))


def _drop_nulls(
    tool: OfferedTool, named: JsonObject, validator: SchemaValidator | None
) -> JsonObject:
    """Leave out the arguments that are null where that is not allowed."""
    if None not in named.values() or validator is None:
        return named
    refused = {tuple(error.absolute_path)[:1] for error in validator.errors(named)}
    is_ours = is_own_tool(tool)
    return {
        name: value
        for name, value in named.items()
        if value is not None or not (is_ours or (name,) in refused)
    }


def _missing(tool: OfferedTool, given: JsonObject) -> list[str]:
    return [name for name in tool.required if name not in given]


def _repair(given: ParsedArguments, validator: SchemaValidator) -> ParsedArguments:
    value, left = repair_arguments(validator, given.value)
    notes = given.repaired
    if value != given.value and isinstance(value, dict):
        changed = [
            name
            for name in {**given.named, **value}
            if name not in value or name not in given.named or value[name] != given.named[name]
        ]
        notes = (*notes, f"to fit the schema, {', '.join(changed)} was converted")
    refused = [each for each in left if not _is_tolerated(each)]
    problem = _describe_errors(refused) if any(map(_is_inner, refused)) else ""
    return ParsedArguments(value, notes, problem)


# Many servers ignore what they do not know; the others say so themselves.
def _is_tolerated(error: ValidationError) -> bool:
    return error.validator in ("additionalProperties", "unevaluatedProperties")


def _is_inner(error: ValidationError) -> bool:
    """Tell whether it is anything but a missing argument of the call, which is told on its own."""
    return error.validator != "required" or bool(error.absolute_path)


def _describe_errors(errors: list[ValidationError]) -> str:
    described = list(dict.fromkeys(map(describe_error, errors)))
    more = f"; and {len(described) - MAX_ERRORS} more" if len(described) > MAX_ERRORS else ""
    return f"{INVALID_ARGUMENTS}: {'; '.join(described[:MAX_ERRORS])}{more}"


def _is_wrapped(tool: OfferedTool, named: JsonObject) -> bool:
    """Tell whether valid arguments are one unknown object that holds nothing but known ones."""
    if len(named) != 1 or "additionalProperties" in tool.parameters_schema:
        return False
    ((key, inner),) = named.items()
    return (
        normalize_spelling(key) in WRAPPER_KEYS
        and key not in tool.parameters
        and isinstance(inner, dict)
        and bool(inner)
        and inner.keys() <= set(tool.parameters)
    )


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
    """Remove an object around the arguments: {"arguments": {...}}; what is beside it stays."""
    for key, inner in _iterate_wrapped(tool, given.named):
        beside = {
            name: value
            for name, value in given.named.items()
            if name != key and not _is_of_call(tool, name, value)
        }
        if beside.keys().isdisjoint(inner):
            note = f"the arguments were taken out of {key}"
            return ParsedArguments({**inner, **beside}, (*given.repaired, note))
    return given


def _iterate_wrapped(tool: OfferedTool, named: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield the objects among the arguments that hold what the tool lacks."""
    known = resolve_argument_aliases(named, tool).arguments
    lacking = set(tool.parameters) - known.keys()
    if not _missing(tool, known) and len(named) > 1:
        return
    for key, value in named.items():
        if normalize_spelling(key) not in WRAPPER_KEYS or key in tool.parameters:
            continue
        is_text = isinstance(value, str) and value.lstrip().startswith("{")
        inner = parse_arguments(value).value if isinstance(value, str) and is_text else value
        if isinstance(inner, dict) and (
            is_own_tool(tool) or lacking & resolve_argument_aliases(inner, tool).arguments.keys()
        ):
            yield key, inner


def _is_of_call(tool: OfferedTool, name: str, value: JsonValue) -> bool:
    """Tell whether it belongs to the call around the arguments, such as the tool's name."""
    spelled = normalize_spelling(name)
    if name in tool.parameters or spelled not in CALL_KEYS or not isinstance(value, str):
        return False
    said = normalize_spelling(value)
    return said in (normalize_spelling(tool.name), *CALL_KINDS) or spelled.endswith("id")


def _rename_unknown_argument(tool: OfferedTool, given: ParsedArguments) -> ParsedArguments:
    """Rename the one unknown text argument to the one that is missing."""
    missing = _missing(tool, given.named)
    strangers = [
        name
        for name, value in given.named.items()
        if name not in tool.parameters
        and normalize_spelling(name) not in METADATA_NAMES
        and isinstance(value, str)
        and accepts_text(tool, value)
    ]
    is_certain = is_own_tool(tool) or len(given.named) == len(tool.parameters) == 1
    if not is_certain or len(missing) != 1 or len(strangers) != 1:
        return given
    if parameter_type(tool, missing[0]) != TEXT_TYPE:
        return given
    note = f"argument {strangers[0]} was taken as {missing[0]}"
    renamed = {missing[0] if n == strangers[0] else n: v for n, v in given.named.items()}
    return ParsedArguments(renamed, (note,))
