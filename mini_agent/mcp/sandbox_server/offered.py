"""The tools that the sandbox offers to MCP clients."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from mcp.types import Tool, ToolAnnotations
from pydantic.json_schema import GenerateJsonSchema

from mini_agent.mcp.sandbox_server.tools import (
    Asked,
    ListFiles,
    ReadFile,
    RunCode,
    RunShell,
    WriteFile,
)
from mini_agent.messages import JsonObject
from mini_agent.sandbox import Language

ASKED: Final = MappingProxyType[str, type[Asked]](
    {
        "run_code": RunCode,
        "shell": RunShell,
        "write_file": WriteFile,
        "read_file": ReadFile,
        "list_files": ListFiles,
    }
)
WHAT: Final = MappingProxyType(
    {
        "run_code": "Run a program in a sealed sandbox: Python with numpy, pandas, scipy, sklearn, "
        "matplotlib and seaborn, or Node, Go, Rust, Bash. What it prints comes back, and figures "
        "it draws as images. Files in its folder stay for your next calls.",
        "shell": "Run a bash command line in the sandbox, in the same folder as run_code.",
        "write_file": "Put a file into the sandbox's folder.",
        "read_file": "Get a file out of the sandbox's folder; an image as an image.",
        "list_files": "The files in the sandbox's folder, with their sizes.",
    }
)
READS: Final = frozenset({"read_file", "list_files"})


class _Untitled(GenerateJsonSchema):
    """A title that repeats a name costs every client tokens."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


def tools(languages: Sequence[Language]) -> list[Tool]:
    """All of them, for programs in `languages`; they reach nothing outside the sandbox."""
    return [
        Tool(
            name=name,
            description=WHAT[name],
            input_schema=_schema(asked, languages),
            annotations=ToolAnnotations(
                read_only_hint=name in READS, destructive_hint=False, open_world_hint=False
            ),
        )
        for name, asked in ASKED.items()
    ]


def _schema(asked: type[Asked], languages: Sequence[Language]) -> JsonObject:
    schema: JsonObject = asked.model_json_schema(schema_generator=_Untitled)
    properties = schema["properties"]
    language = properties.get("language") if isinstance(properties, dict) else None
    if isinstance(language, dict):
        language["enum"] = list(languages)
    return {key: value for key, value in schema.items() if key not in ("title", "description")}
