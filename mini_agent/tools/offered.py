"""The tools an invoker offers, read from the list it gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mini_agent.errors import MiniAgentError
from mini_agent.tools.invoker import Tool


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """One tool: its schema as the model gets it, and what a call to it may and must carry."""

    name: str
    schema: Tool
    parameters: tuple[str, ...]
    required: tuple[str, ...]


def offered_tools(listed: object) -> dict[str, OfferedTool]:
    """The usable tools by name; of two with one name the first stays.

    Raises `MiniAgentError` when `listed` is no list of tools in OpenAI's form.
    """
    if not isinstance(listed, list | tuple):
        raise MiniAgentError(f"the invoker listed its tools as {listed!r:.80}, not as a list")
    tools: dict[str, OfferedTool] = {}
    for entry in listed:
        tool = _read(entry)
        tools.setdefault(tool.name, tool)
    return tools


def _read(entry: object) -> OfferedTool:
    function = entry.get("function") if isinstance(entry, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(entry, dict) or not isinstance(function, dict) or not isinstance(name, str):
        raise MiniAgentError(
            f"the invoker lists a tool without a name: {entry!r:.80}",
            hint='a tool is {"type": "function", "function": {"name": ..., "parameters": ...}}',
        )
    schema = function.get("parameters")
    schema = schema if isinstance(schema, dict) else {}
    return OfferedTool(
        name, entry, tuple(_names(schema.get("properties"))), tuple(_names(schema.get("required")))
    )


def _names(listed: object) -> Iterator[str]:
    if isinstance(listed, dict | list | tuple):
        yield from (name for name in listed if isinstance(name, str))
