"""Makes tools portable: names and schemas that every model server takes, and the way back.

Model servers refuse a whole request for one tool whose name or schema they do not take. `$ref`s are
inlined, because Ollama and others drop the definitions.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tools.invoker import Tool, get_tool_name

# What OpenAI and Anthropic take as the name of a function.
MAX_NAME_CHARS: Final = 64
INVALID_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_-]")
PORTABLE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
DIGEST_CHARS: Final = 6
TYPES: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
DEFINITIONS: Final = ("$defs", "definitions")
# These belong to a document, not to a parameter.
DOCUMENT_KEYS: Final = frozenset({"$schema", "$id", "$comment", *DEFINITIONS})
BRANCHES: Final = ("anyOf", "oneOf", "allOf")
ROOT_ONLY_IN_VALIDATION: Final = ("not", "if", "then", "else", "enum", "const", "dependentSchemas")
MAX_SCHEMA_NODES: Final = 1000
MAX_REF_DEPTH: Final = 6


class PortableNames:
    """The portable names of an invoker's tools, and the tools' own ones."""

    def __init__(self) -> None:
        self._own_names: Mapping[str, str] = {}
        self.is_filled = False

    def convert(self, tools: Iterable[Tool]) -> list[Tool]:
        """Return `tools` with portable names and schemas; of two of one name the first is kept."""
        by_name: dict[str, Tool] = {}
        for tool in tools:
            by_name.setdefault(get_tool_name(tool), tool)
        names = make_portable_names(by_name)
        self.is_filled = True
        self._own_names = {portable: own for own, portable in names.items()}
        return [make_portable(tool, names[own]) for own, tool in by_name.items()]

    def __contains__(self, name: str) -> bool:
        return name in self._own_names

    def own_name(self, name: str) -> str:
        """Return the own name of the tool that is listed as `name`."""
        return self._own_names.get(name, name)


def make_portable_names(names: Iterable[str]) -> dict[str, str]:
    """Map each name to one that model servers take, which depends on no order.

    A name that is portable stays; others that become equal, or too long, end in a digest.
    """
    own = list(dict.fromkeys(names))
    plain = {name: _replace_characters(name) for name in own}
    spellings = list(plain.values())
    return {
        name: name
        if PORTABLE_NAME.fullmatch(name)
        else _shorten(name, plain[name], is_unique=spellings.count(plain[name]) == 1)
        for name in own
    }


def _replace_characters(name: str) -> str:
    unaccented = "".join(
        each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each)
    )
    return INVALID_CHARACTER.sub("_", unaccented)


def _shorten(name: str, plain: str, *, is_unique: bool) -> str:
    if is_unique and len(plain) <= MAX_NAME_CHARS and plain.strip("_-"):
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:DIGEST_CHARS]
    kept = plain.strip("_-")[: MAX_NAME_CHARS - DIGEST_CHARS - 1] or "tool"
    return f"{kept}_{digest}"


def make_portable(tool: Tool, name: str) -> Tool:
    """Return `tool` under `name`, with a description and a schema that model servers take."""
    function = tool.get("function")
    if not isinstance(function, dict):
        return tool
    described = function.get("description")
    portable: JsonObject = {
        **function,
        "name": name,
        "description": described if isinstance(described, str) else "",
        "parameters": make_portable_schema(function.get("parameters")),
    }
    return {**tool, "type": "function", "function": portable}


def make_portable_schema(schema: JsonValue) -> JsonObject:
    """Return the schema of an object, without references and without alternatives at its root."""
    if not isinstance(schema, dict):
        return {"type": "object", "properties": {}}
    inlined = _Inliner(schema).inline_root()
    merged = _merge_branches(inlined)
    if "type" in merged and not _is_object(merged):
        return {"type": "object", "properties": {}}
    kept = {key: each for key, each in merged.items() if key not in ROOT_ONLY_IN_VALIDATION}
    properties = kept.pop("properties", {})
    rest = {key: each for key, each in kept.items() if key != "type"}
    return {"type": "object", "properties": properties, **rest}


def _is_object(schema: JsonObject) -> bool:
    kinds = schema.get("type")
    return kinds == "object" or (isinstance(kinds, list) and "object" in kinds)


class _Inliner:
    """Replaces the references within a schema by what they refer to."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._nodes = 0

    def inline_root(self) -> JsonObject:
        return self._fit(self._root, ())

    def _fit(self, schema: JsonObject, refs: tuple[str, ...]) -> JsonObject:
        self._nodes += 1
        target, ref = self._resolve(schema)
        if ref:
            beside = {key: each for key, each in schema.items() if key != "$ref"}
            is_cut = refs.count(ref) > 0 or len(refs) >= MAX_REF_DEPTH
            if target is None or is_cut or self._nodes > MAX_SCHEMA_NODES:
                return {**_outline(target), **_without_children(beside)}
            return self._fit({**target, **beside}, (*refs, ref))
        fitted = {
            key: self._fit_keyword(key, value, refs)
            for key, value in _lift_required(schema).items()
            if key not in DOCUMENT_KEYS and not (key == "id" and isinstance(value, str))
        }
        return _mend(fitted)

    def _fit_nested(self, value: JsonValue, refs: tuple[str, ...]) -> JsonObject:
        return self._fit(value, refs) if isinstance(value, dict) else {}

    def _resolve(self, schema: JsonObject) -> tuple[JsonObject | None, str]:
        ref = schema.get("$ref")
        if not isinstance(ref, str):
            return None, ""
        return _find_by_pointer(self._root, ref), ref

    def _fit_keyword(self, key: str, value: JsonValue, refs: tuple[str, ...]) -> JsonValue:
        if key in ("properties", "patternProperties", "dependentSchemas"):
            named = value if isinstance(value, dict) else {}
            return {name: self._fit_nested(each, refs) for name, each in named.items()}
        if key in (*BRANCHES, "prefixItems", "items") and isinstance(value, list):
            return [self._fit_nested(each, refs) for each in value]
        if key in ("items", "additionalProperties", "not", "if", "then", "else", "contains"):
            return self._fit(value, refs) if isinstance(value, dict) else value
        return _drop_infinite(value)


def _find_by_pointer(root: JsonObject, ref: str) -> JsonObject | None:
    """Find what `ref` refers to within `root`; None for another document or for nothing."""
    _, has_fragment, pointer = ref.partition("#")
    if not has_fragment:
        return None
    found: JsonValue = root
    for step in [each for each in pointer.split("/") if each]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found if isinstance(found, dict) else None


def _outline(target: JsonObject | None) -> JsonObject:
    """The type and description of what is not inlined once more."""
    kept = ("type", "title", "description")
    return {key: target[key] for key in kept if key in target} if target else {}


def _without_children(beside: JsonObject) -> JsonObject:
    kept = ("title", "description", "default")
    return {key: beside[key] for key in kept if key in beside}


def _drop_infinite(value: JsonValue) -> JsonValue:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _mend(schema: JsonObject) -> JsonObject:
    """Mend what older drafts and careless servers write."""
    mended = dict(schema)
    for mend in (_mend_type, _mend_required, _mend_items, _mend_bounds):
        mend(mended)
    return mended


def _lift_required(schema: JsonObject) -> JsonObject:
    """Return `schema` with the names of the properties that say `required: true` themselves."""
    marked: list[JsonValue] = [
        name
        for name, each in _properties(schema).items()
        if isinstance(each, dict) and each.get("required") is True
    ]
    return {**schema, "required": [*_required(schema), *marked]} if marked else schema


def _mend_type(schema: JsonObject) -> None:
    kinds = schema.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    known: list[JsonValue] = [each for each in listed if isinstance(each, str) and each in TYPES]
    if "type" in schema and known != listed:
        schema.pop("type")
        schema.update({"type": known} if known else {})


def _mend_required(schema: JsonObject) -> None:
    """Describe each required name, as Gemini needs it, and leave out an empty list."""
    names = list(dict.fromkeys(_required(schema)))
    if "properties" in schema and names:
        absent: JsonObject = {each: {} for each in names if each not in _properties(schema)}
        schema["properties"] = {**_properties(schema), **absent}
    if names:
        schema["required"] = [*names]
    else:
        schema.pop("required", None)


def _mend_items(schema: JsonObject) -> None:
    """Give a list one schema for its items: OpenAI refuses none, and one for each place."""
    items = schema.get("items")
    places = items if isinstance(items, list) else schema.pop("prefixItems", None)
    if isinstance(places, list):
        distinct = [each for at, each in enumerate(places) if each not in places[:at]]
        schema["items"] = distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
    kinds = schema.get("type")
    if kinds == "array" or (isinstance(kinds, list) and "array" in kinds):
        schema["items"] = schema["items"] if isinstance(schema.get("items"), dict) else {}


def _mend_bounds(schema: JsonObject) -> None:
    """Turn `exclusiveMinimum: true` of draft 4 into the bound itself."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if not isinstance(schema.get(exclusive), bool):
            continue
        if schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)


def _merge_branches(schema: JsonObject) -> JsonObject:
    """Merge the alternatives at the root of a schema into one object with all properties."""
    merged = {key: each for key, each in schema.items() if key not in BRANCHES}
    for keyword in BRANCHES:
        listed = schema.get(keyword)
        branches = (
            [_merge_branches(each) for each in listed or () if isinstance(each, dict)]
            if isinstance(listed, list)
            else []
        )
        if branches:
            merged = _add_branches(merged, branches, is_all=keyword == "allOf")
    return merged


def _add_branches(root: JsonObject, branches: Sequence[JsonObject], *, is_all: bool) -> JsonObject:
    properties = dict(_properties(root))
    for name in dict.fromkeys(name for each in branches for name in _properties(each)):
        found = [_properties(each)[name] for each in branches if name in _properties(each)]
        distinct = [each for at, each in enumerate(found) if each not in found[:at]]
        properties.setdefault(name, distinct[0] if len(distinct) == 1 else _any_of(distinct))
    needed = [set(_required(each)) for each in branches]
    common = set.union(*needed) if is_all else set.intersection(*needed)
    required = [name for name in properties if name in {*_required(root), *common}]
    rest = {key: each for key, each in root.items() if key != "required"}
    kind = {"type": "object"} if any(_is_object(each) for each in branches) else {}
    return {
        **kind,
        **rest,
        "properties": properties,
        **({"required": [*required]} if required else {}),
    }


def _any_of(distinct: list[JsonValue]) -> JsonObject:
    """Merge what several branches say of one parameter: tags become one list of values."""
    if all(isinstance(each, dict) and "const" in each for each in distinct):
        values = [each["const"] for each in distinct if isinstance(each, dict)]
        return {"enum": values}
    return {"anyOf": distinct}


def _properties(schema: JsonObject) -> JsonObject:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _required(schema: JsonObject) -> list[str]:
    required = schema.get("required")
    return (
        [each for each in required if isinstance(each, str)] if isinstance(required, list) else []
    )
