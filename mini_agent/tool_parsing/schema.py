"""Validates a call's arguments against the JSON schema of the tool's parameters.

A schema that is none, or that refers to what is not in it, validates nothing: the server decides.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_log: Final = logging.getLogger(__name__)
ROOT_URI: Final = "urn:mini-agent:parameters"
# The values of these are data, not schemas.
_LITERALS: Final = frozenset({"const", "enum", "default", "examples", "example"})
_NAMED_SCHEMAS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions"})
MAX_SHOWN_CHARS: Final = 60
MAX_SHOWN_CHOICES: Final = 20


class InvalidSchema(Exception):
    """The schema cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class SchemaValidator:
    """A schema that arguments are validated against; references are resolved within it alone."""

    schema: JsonObject
    _validator: Validator

    def errors(self, value: JsonValue) -> list[ValidationError]:
        """Return what is wrong with `value`; raises `InvalidSchema` for a broken reference."""
        try:
            return list(self._validator.iter_errors(value))
        except _schema_errors() as broken:
            raise InvalidSchema(f"{type(broken).__name__}: {broken!s:.200}") from None

    def within(self, schema: JsonObject) -> SchemaValidator:
        """Return the validator of a part of this schema."""
        return SchemaValidator(schema, self._validator.evolve(schema=schema))


@lru_cache
def _schema_errors() -> tuple[type[Exception], ...]:
    """What the validator raises for schemas that servers write."""
    from jsonschema.exceptions import UnknownType
    from referencing.exceptions import Unresolvable

    own = (TypeError, ValueError, LookupError, AttributeError, RecursionError, re.error)
    return (*own, UnknownType, Unresolvable)


def create_validator(tool: str, schema: JsonObject) -> SchemaValidator | None:
    """Return the validator of a tool's parameters; None, with a line in the log, without one."""
    return _compile(tool, json.dumps(schema, sort_keys=False))


@lru_cache(maxsize=256)
def report_invalid_schema(tool: str, why: str) -> None:
    """Log once that calls of `tool` are not validated."""
    _log.warning("calls of %s are not validated, because its schema is invalid: %s", tool, why)


@lru_cache(maxsize=256)
def _compile(tool: str, text: str) -> SchemaValidator | None:
    schema: JsonObject = json.loads(text)
    try:
        return _build_validator(schema)
    except InvalidSchema as why:
        report_invalid_schema(tool, str(why))
        return None


def _build_validator(schema: JsonObject) -> SchemaValidator:
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    dialect = _find_dialect(schema)
    rooted = _root_references(schema, str(schema.get("$id") or schema.get("id") or ""))
    rooted = {key: value for key, value in rooted.items() if key not in ("$id", "id", "$schema")}
    # INVARIANT: the registry retrieves nothing, so that no schema makes us fetch another one.
    registry: Registry[Any] = Registry().with_resource(
        ROOT_URI, Resource.from_contents(rooted, default_specification=DRAFT202012)
    )
    return SchemaValidator(rooted, dialect(rooted, registry=registry))


# Servers rarely say which draft they mean; the newest one that the schema is valid in is taken.
def _find_dialect(schema: JsonObject) -> type[Validator]:
    from jsonschema import Draft4Validator, Draft7Validator, Draft202012Validator, SchemaError

    complaint = ""
    for dialect in (Draft202012Validator, Draft7Validator, Draft4Validator):
        try:
            dialect.check_schema(schema)
        except SchemaError as wrong:
            complaint = complaint or f"{wrong.json_path}: {wrong.message:.200}"
        except (RecursionError, TypeError, ValueError, AttributeError) as wrong:
            complaint = complaint or f"{wrong!s:.200}"
        else:
            return _adapt(dialect)
    raise InvalidSchema(complaint)


@lru_cache
def _adapt(dialect: type[Validator]) -> type[Validator]:
    """Adapt a dialect to what servers take: 3.0 is no integer to some, `oneOf` is often sloppy."""
    from jsonschema import validators

    checker = dialect.TYPE_CHECKER.redefine(
        "integer", lambda _checker, value: isinstance(value, int) and not isinstance(value, bool)
    )
    adapted: type[Validator] = validators.extend(
        dialect,
        {"oneOf": dialect.VALIDATORS["anyOf"], "multipleOf": _accept},
        type_checker=checker,
    )
    return adapted


# With floats, 0.3 is no multiple of 0.1.
def _accept(_validator: object, _wanted: object, _value: object, _schema: object) -> Iterator[Any]:
    return iter(())


def _root_references(schema: JsonObject, base: str) -> JsonObject:
    """Rewrite references within the schema so that they hold from any part of it."""
    return {key: _root_value(key, value, base) for key, value in schema.items()}


def _root_value(key: str, value: JsonValue, base: str) -> JsonValue:
    if key in ("$ref", "$dynamicRef") and isinstance(value, str):
        local = value.removeprefix(base.rstrip("#")) if base else value
        return f"{ROOT_URI}{local}" if local.startswith("#") else value
    if key in _LITERALS:
        return value
    if key in _NAMED_SCHEMAS and isinstance(value, dict):
        return {name: _root_nested(each, base) for name, each in value.items()}
    return _root_nested(value, base)


def _root_nested(value: JsonValue, base: str) -> JsonValue:
    if isinstance(value, dict):
        return _root_references(value, base)
    if isinstance(value, list):
        return [_root_nested(each, base) for each in value]
    return value


def describe_error(error: ValidationError) -> str:
    """Describe an error: the path, what came there, and what is allowed."""
    return f"{_format_path(error.absolute_path)}: {_describe_mismatch(error)}"


def missing_names(error: ValidationError) -> list[str]:
    """Return the names that the object of a `required` error lacks."""
    return [name for name in error.validator_value if name not in error.instance]


def _describe_mismatch(error: ValidationError) -> str:
    if error.validator == "required":
        return f"{', '.join(missing_names(error))} is missing"
    came = json.dumps(error.instance, ensure_ascii=False)
    shown = came if len(came) <= MAX_SHOWN_CHARS else f"{came[:MAX_SHOWN_CHARS]}..."
    allowed = _describe_allowed(error.validator, error.validator_value)
    return f"{shown} came, but {allowed or error.message[-200:]}"


def _describe_allowed(keyword: str, wanted: JsonValue) -> str:
    match keyword:
        case "type":
            kinds = wanted if isinstance(wanted, list) else [wanted]
            return f"it must be {_join(map(str, kinds))}"
        case "enum" if isinstance(wanted, list):
            return f"it must be {_join(map(_dump, wanted[:MAX_SHOWN_CHOICES]))}"
        case "const":
            return f"it must be {_dump(wanted)}"
        case "anyOf" | "oneOf" if isinstance(wanted, list):
            return f"it must be {_join(map(_describe_branch, wanted))}"
    return ""


def _describe_branch(branch: JsonValue) -> str:
    if not isinstance(branch, dict):
        return "something else"
    for keyword in ("const", "enum"):
        if keyword in branch:
            return _describe_allowed(keyword, branch[keyword]).removeprefix("it must be ")
    if isinstance(branch.get("$ref"), str):
        return str(branch["$ref"]).rpartition("/")[2]
    required = branch.get("required")
    kind = str(branch.get("type", "an object" if required else "something else"))
    names = [str(name) for name in required] if isinstance(required, list) else []
    return f"{kind} with {', '.join(names)}" if names else kind


def _dump(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _join(words: Iterator[str]) -> str:
    return " or ".join(dict.fromkeys(words))


def _format_path(steps: Sequence[str | int]) -> str:
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path or "the arguments"
