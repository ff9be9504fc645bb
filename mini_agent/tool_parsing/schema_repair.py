"""Repairs arguments that their schema does not take: only the values that fail.

Each repair keeps the meaning: `"[1, 2]"` becomes a list where a list is needed, `"3"` a number,
`null` is left out where it is not allowed. What has no such reading stays wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_json
from mini_agent.tool_parsing.schema import SchemaValidator, missing_names
from mini_agent.tools.names import normalize_name

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path: TypeAlias = tuple[str | int, ...]
MAX_ROUNDS: Final = 8
MAX_DEPTH: Final = 12
MAX_NUMBER_CHARS: Final = 300
INTEGER: Final = re.compile(r"[+-]?[0-9]+")
NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
BOOLEANS: Final[dict[str, JsonValue]] = {"true": True, "false": False, "yes": True, "no": False}
NULL_TEXTS: Final = ("null", "none")
# A weak model that writes the parameter's schema, with its value in it.
SCHEMA_ECHO: Final = frozenset({"type", "value", "title", "description"})


def repair_arguments(
    validator: SchemaValidator, value: JsonValue, depth: int = 0
) -> tuple[JsonValue, list[ValidationError]]:
    """Return `value` with what fails repaired, and the errors that are left.

    Raises `InvalidSchema` where the schema cannot be used.
    """
    errors = validator.errors(value)
    for _ in range(MAX_ROUNDS if depth < MAX_DEPTH else 0):
        root = [deepcopy(value)] if errors else []
        if not errors or not _repair_each(validator, root, errors, depth):
            break
        value, errors = root[0], validator.errors(root[0])
    return value, errors


def _repair_each(
    validator: SchemaValidator, root: list[JsonValue], errors: list[ValidationError], depth: int
) -> bool:
    """Repair the values of `errors` in `root`; False where none can be."""
    replaced: set[Path] = set()
    for error in errors:
        path: Path = (0, *error.absolute_path)
        is_gone = any(path[:steps] in replaced for steps in range(1, len(path) + 1))
        if not is_gone and _repair_at(path, root, validator, error, depth):
            replaced.add(path)
    return bool(replaced)


def _repair_at(
    path: Path,
    root: list[JsonValue],
    validator: SchemaValidator,
    error: ValidationError,
    depth: int,
) -> bool:
    holder, step = _find_holder(root, path)
    part = validator.within(error.schema)
    for candidate in _iterate_candidates(error, holder[step], part, depth):
        repaired, left = repair_arguments(part, candidate, depth + 1)
        if not left:
            holder[step] = repaired
            return True
    if isinstance(step, str) and _is_null(holder[step]):
        del holder[step]
        return True
    return False


def _find_holder(root: list[JsonValue], path: Path) -> tuple[Any, str | int]:
    holder: Any = root
    for step in path[:-1]:
        holder = holder[step]
    return holder, path[-1]


def _is_null(value: JsonValue) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in NULL_TEXTS)


def _iterate_candidates(
    error: ValidationError, value: JsonValue, part: SchemaValidator, depth: int
) -> Iterator[JsonValue]:
    """Yield what `value` may mean, the likeliest first."""
    wanted = error.validator_value
    match error.validator:
        case "type":
            kinds = frozenset(wanted if isinstance(wanted, list) else [wanted])
            yield from _convert(value, kinds)
        case "enum":
            yield from _match_choice(value, wanted)
        case "const":
            yield from _match_choice(value, [wanted])
        case "anyOf" | "oneOf":
            yield from _repair_by_branch(value, wanted, part, depth)
        case "required" if isinstance(value, dict):
            yield from _rename_keys(value, missing_names(error))
        case "additionalProperties" if isinstance(value, dict):
            declared = error.schema.get("properties")
            yield from _drop_unknown_nulls(value, declared if isinstance(declared, dict) else {})


def _repair_by_branch(
    value: JsonValue, branches: Sequence[JsonValue], part: SchemaValidator, depth: int
) -> Iterator[JsonValue]:
    found: list[JsonValue] = []
    for branch in branches:
        if isinstance(branch, dict):
            repaired, left = repair_arguments(part.within(branch), value, depth + 1)
            found += [] if left else [repaired]
    yield from sorted(found, key=lambda each: each == [value])


def _rename_keys(value: JsonObject, names: Sequence[str]) -> Iterator[JsonObject]:
    """Yield `value` with the missing `names` found under another spelling."""
    renamed: JsonObject = dict(value)
    for name in names:
        same = [key for key in value if normalize_name(key) == normalize_name(name) != ""]
        if len(same) == 1:
            renamed = {name if key == same[0] else key: each for key, each in renamed.items()}
    if renamed.keys() != value.keys():
        yield renamed


def _drop_unknown_nulls(value: JsonObject, declared: JsonObject) -> Iterator[JsonObject]:
    missing = [name for name in declared if name not in value]
    yield from _rename_keys(value, missing)
    kept = {key: each for key, each in value.items() if key in declared or each is not None}
    if len(kept) < len(value):
        yield kept


def _match_choice(value: JsonValue, choices: Sequence[JsonValue]) -> Iterator[JsonValue]:
    """Yield the one choice that is written otherwise: "Celsius", "2" for 2, "In Progress"."""
    if isinstance(value, list) and len(value) == 1:
        yield value[0]
    if not isinstance(value, str | int | float):
        return
    readings: tuple[Callable[[JsonValue], str], ...] = (_write, _fold, _spell)
    for read in readings:
        meant = [each for each in choices if read(each) == read(value) != ""]
        if len(meant) == 1:
            yield meant[0]
            return


def _write(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fold(value: JsonValue) -> str:
    return _write(value).strip().strip("\"'").casefold()


def _spell(value: JsonValue) -> str:
    return normalize_name(_fold(value) if not isinstance(value, str) else value.strip())


def _convert(value: JsonValue, kinds: frozenset[JsonValue]) -> Iterator[JsonValue]:
    """Yield `value` as one of the JSON types `kinds`."""
    if isinstance(value, str):
        yield from _parse_text(value, kinds)
    elif isinstance(value, dict | list):
        yield from _convert_container(value, kinds)
    elif value is not None:
        yield from _convert_scalar(value, kinds)
    if "array" in kinds and _can_be_item(value):
        yield [value]


def _convert_container(
    value: JsonObject | list[JsonValue], kinds: frozenset[JsonValue]
) -> Iterator[JsonValue]:
    if isinstance(value, dict) and SCHEMA_ECHO >= value.keys() >= {"value"}:
        yield value["value"]
    if isinstance(value, list) and len(value) == 1:
        yield value[0]
    is_lines = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if "string" in kinds and not is_lines:
        yield json.dumps(value, ensure_ascii=False)


def _can_be_item(value: JsonValue) -> bool:
    """Tell whether a single value was meant as a list of one; a list that was cut off was not."""
    if isinstance(value, str):
        text = value.strip()
        return bool(text) and not (text[0] == "[" and ("]" not in text or text[-1] == "]"))
    return value is not None and not isinstance(value, list)


def _parse_text(value: str, kinds: frozenset[JsonValue]) -> Iterator[JsonValue]:
    text = value.strip()
    if text[:1] in ("{", "[") and kinds & {"object", "array"}:
        yield from _parse_container(text)
    if len(text) <= MAX_NUMBER_CHARS and kinds & {"integer", "number"}:
        yield from _parse_number(text, kinds)
    if "boolean" in kinds and text.lower() in BOOLEANS:
        yield BOOLEANS[text.lower()]
    if "null" in kinds and text.lower() in NULL_TEXTS:
        yield None


def _parse_container(text: str) -> Iterator[JsonValue]:
    try:
        yield json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        yield from _parse_leniently(text)


def _reject_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is no JSON")


def _parse_leniently(text: str) -> Iterator[JsonValue]:
    try:
        read = parse_json(text)
    except LenientJsonError:
        return
    if not read.is_cut and not read.unclosed and not text[read.end :].strip():
        yield read.value


def _parse_number(text: str, kinds: frozenset[JsonValue]) -> Iterator[JsonValue]:
    if INTEGER.fullmatch(text):
        yield int(text)
    elif NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        yield number if "number" in kinds or not number.is_integer() else int(number)


def _convert_scalar(value: float, kinds: frozenset[JsonValue]) -> Iterator[JsonValue]:
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        yield int(value)
    if "boolean" in kinds and not isinstance(value, bool) and value in (0, 1):
        yield bool(value)
    if "string" in kinds:
        yield json.dumps(value)
