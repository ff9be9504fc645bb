"""Makes the answers of MCP servers readable: lone surrogates, cut lines, malformed tools."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from mcp.types import Tool as McpTool
from pydantic import JsonValue, ValidationError

from mini_agent.messages import JsonObject, replace_surrogates

MAX_NAME_CHARS: Final = 60
ID: Final = re.compile(r'"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")')
OPTIONAL: Final = ("title", "description", "outputSchema", "annotations", "icons", "_meta")
NO_PARAMETERS: Final[Mapping[str, object]] = {"type": "object", "properties": {}}


def clean_arguments(arguments: JsonObject) -> JsonObject:
    """Return arguments without lone surrogates, which no line of the protocol can hold."""
    return {replace_surrogates(key): _clean(value) for key, value in arguments.items()}


def _clean(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return replace_surrogates(value)
        case list():
            return [_clean(each) for each in value]
        case dict():
            return clean_arguments(value)
        case _:
            return value


def find_ids(line: str) -> list[int | str]:
    """Return what may be the ids of a message that cannot be read."""
    return [json.loads(found) for found in ID.findall(line)]


def keep_usable_tools(result: dict[str, object]) -> list[str]:
    """Correct or leave out the malformed tools of a listing; returns the names of those left out.

    Anything else is left as it is.
    """
    listed, left_out = result.get("tools"), []
    if not isinstance(listed, list) or "content" in result:
        return []
    usable: list[object] = []
    for place, tool in enumerate(listed):
        corrected = _correct_tool(tool)
        if corrected is not None:
            usable.append(corrected)
        else:
            name = tool.get("name") if isinstance(tool, dict) else None
            left_out.append(f"{name!r:.{MAX_NAME_CHARS}}" if name else f"number {place + 1}")
    result["tools"] = usable
    if not isinstance(result.get("nextCursor"), str | None):
        result["nextCursor"] = str(result["nextCursor"])
    return left_out


def _correct_tool(tool: object) -> object:
    """Return a tool without what is wrong beside its name and schema; None where those are."""
    if not isinstance(tool, dict):
        return None
    corrected = dict(tool)
    if corrected.get("inputSchema") is None:
        corrected["inputSchema"] = dict(NO_PARAMETERS)
    schema = corrected["inputSchema"]
    if isinstance(schema, dict) and schema.get("type") is None:
        corrected["inputSchema"] = {**schema, "type": "object"}
    for key in _wrong_keys(corrected):
        if key not in OPTIONAL:
            return None
        del corrected[key]
    return None if _wrong_keys(corrected) else corrected


def _wrong_keys(tool: Mapping[str, object]) -> list[str]:
    schema = tool.get("inputSchema")
    if isinstance(schema, dict) and schema.get("type") != "object":
        return ["inputSchema"]
    try:
        McpTool.model_validate(tool, by_name=False)
    except ValidationError as wrong:
        return list({str(each["loc"][0]): None for each in wrong.errors(include_url=False)})
    return []
