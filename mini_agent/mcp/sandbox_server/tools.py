"""The tools that the sandbox offers to MCP clients, and the models of their arguments."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import GenerateJsonSchema, SkipJsonSchema

from mini_agent.messages import JsonObject
from mini_agent.sandbox import Language, Limits, Snippet, parse_language
from mini_agent_protocol.nulls import without_nulls

DATA_URL: Final = "data:"
BASE64_MARK: Final = ";base64,"
CONTENT_HINT: Final = "Text, or bytes as data:;base64,..."
Seconds: TypeAlias = Annotated[
    float | SkipJsonSchema[None],
    Field(ge=0.1, le=600, description="Seconds it may run; 10, or 30 for go and rust."),
]
ArtifactPatterns: TypeAlias = Annotated[
    tuple[str, ...],
    Field(
        max_length=16,
        description="Files to bring back when it has run, as glob patterns: *.png, out/*.csv.",
    ),
]
DESCRIPTIONS: Final = MappingProxyType(
    {
        "run_code": "Run a program in a sealed sandbox: Python with numpy, pandas, scipy, sklearn, "
        "matplotlib, seaborn and libraries for Excel, Word and PDF files, or Node, Go, Rust, "
        "Bash. What it prints comes back, and figures it draws as images. Files in its folder "
        "stay for your next calls.",
        "shell": "Run a bash command line in the sandbox, in the same folder as run_code.",
        "write_file": "Put a file into the sandbox's folder.",
        "read_file": "Get a file out of the sandbox's folder; an image as an image.",
        "list_files": "The files in the sandbox's folder, with their sizes.",
    }
)
READ_ONLY_TOOLS: Final = frozenset({"read_file", "list_files"})


def decode_content(content: str) -> bytes:
    """Decode text, or bytes as a data: URL; raises `ValueError` where that holds no base64."""
    head, mark, body = content.partition(BASE64_MARK)
    if not mark or not head.startswith(DATA_URL):
        return content.encode()
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the data: URL holds no base64") from None


class ToolArguments(BaseModel):
    """The arguments of every tool."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Annotated[
        str,
        Field(
            description='Where the files are: leave it out for your own workspace; "new" opens '
            "another one, whose id is in the result and is passed here to go on in it."
        ),
    ] = ""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, read: object) -> object:
        return without_nulls(read, cls)


class RunCode(ToolArguments):
    """A program."""

    language: Annotated[Language, Field(description="What the code is written in.")]
    code: Annotated[str, Field(description="The whole program. It has no network.")]
    files: Annotated[
        dict[str, str],
        Field(description=f"Files it finds in its folder, by relative path. {CONTENT_HINT}"),
    ] = {}
    stdin: Annotated[str, Field(description="What it can read from its stdin.")] = ""
    args: Annotated[tuple[str, ...], Field(description="Its command line arguments.")] = ()
    artifacts: ArtifactPatterns = ()
    stateful: Annotated[
        bool,
        Field(description="Python: keep variables and imports for the next stateful program."),
    ] = False
    timeout_s: Seconds = None

    @field_validator("language", mode="before")
    @classmethod
    def _language(cls, value: object) -> object:
        return parse_language(value) if isinstance(value, str) else value

    def snippet(self) -> Snippet:
        """Convert to a snippet; raises `ValueError` for values that a snippet cannot have."""
        files = {
            path: base64.b64encode(decode_content(content)).decode()
            for path, content in self.files.items()
        }
        return Snippet(
            language=self.language,
            code=self.code,
            stdin=self.stdin,
            args=self.args,
            files=files,
            artifacts=self.artifacts,
            stateful=self.stateful,
            limits=Limits(timeout_s=self.timeout_s),
        )


class RunShell(ToolArguments):
    """A command line."""

    command: Annotated[
        str, Field(description="For bash. cargo, go, node, python are there. It has no network.")
    ]
    artifacts: ArtifactPatterns = ()
    timeout_s: Seconds = None

    def snippet(self, toolchain: Language | None) -> Snippet:
        """Convert to a snippet that runs where `toolchain` is installed."""
        return Snippet(
            language="bash",
            code=self.command,
            toolchain=toolchain,
            artifacts=self.artifacts,
            limits=Limits(timeout_s=self.timeout_s),
        )


class WriteFile(ToolArguments):
    """A file to be made or replaced."""

    path: Annotated[str, Field(description="Relative to the workspace.")]
    content: Annotated[str, Field(description=CONTENT_HINT)]


class ReadFile(ToolArguments):
    """A file to be read."""

    path: Annotated[str, Field(description="Relative to the workspace.")]


class ListFiles(ToolArguments):
    """The names of the files."""


ARGUMENT_MODELS: Final = MappingProxyType[str, type[ToolArguments]](
    {
        "run_code": RunCode,
        "shell": RunShell,
        "write_file": WriteFile,
        "read_file": ReadFile,
        "list_files": ListFiles,
    }
)


class _Untitled(GenerateJsonSchema):
    """Omits titles, which repeat a field's name and cost every client tokens."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


def describe_tools(languages: Sequence[Language]) -> list[Tool]:
    """Return all tools, for programs in `languages`; none reaches outside the sandbox."""
    return [
        Tool(
            name=name,
            description=DESCRIPTIONS[name],
            input_schema=_schema(model, languages),
            annotations=ToolAnnotations(
                read_only_hint=name in READ_ONLY_TOOLS,
                destructive_hint=False,
                open_world_hint=False,
            ),
        )
        for name, model in ARGUMENT_MODELS.items()
    ]


def _schema(model: type[ToolArguments], languages: Sequence[Language]) -> JsonObject:
    schema: JsonObject = model.model_json_schema(schema_generator=_Untitled)
    properties = schema["properties"]
    language = properties.get("language") if isinstance(properties, dict) else None
    if isinstance(language, dict):
        language["enum"] = list(languages)
    return {key: value for key, value in schema.items() if key not in ("title", "description")}
