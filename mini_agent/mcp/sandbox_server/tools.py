"""What an MCP client asks of the sandbox: the arguments of each tool."""

from __future__ import annotations

import base64
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from mini_agent.mcp.sandbox_server.content import HOW, bytes_written
from mini_agent.sandbox import Language, Limits, Snippet, language_named

Seconds: TypeAlias = Annotated[
    float | SkipJsonSchema[None],
    Field(ge=0.1, le=600, description="Seconds it may run; 10, or 30 for go and rust."),
]
Patterns: TypeAlias = Annotated[
    tuple[str, ...],
    Field(
        max_length=16,
        description="Files to bring back when it has run, as glob patterns: *.png, out/*.csv.",
    ),
]


class Asked(BaseModel):
    """What all tools take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Annotated[
        str,
        Field(
            description='Where the files are: leave it out for your own workspace; "new" opens '
            "another one, whose id is in the result and is passed here to go on in it."
        ),
    ] = ""


class RunCode(Asked):
    """A program."""

    language: Annotated[Language, Field(description="What the code is written in.")]
    code: Annotated[str, Field(description="The whole program. It has no network.")]
    files: Annotated[
        dict[str, str],
        Field(description=f"Files it finds in its folder, by relative path. {HOW}"),
    ] = {}
    stdin: Annotated[str, Field(description="What it can read from its stdin.")] = ""
    args: Annotated[tuple[str, ...], Field(description="Its command line arguments.")] = ()
    artifacts: Patterns = ()
    stateful: Annotated[
        bool,
        Field(description="Python: keep variables and imports for the next stateful program."),
    ] = False
    timeout_s: Seconds = None

    @field_validator("language", mode="before")
    @classmethod
    def _language(cls, value: object) -> object:
        return language_named(value) if isinstance(value, str) else value

    def snippet(self) -> Snippet:
        """The same in the words of the sandbox; `ValueError` says what cannot be."""
        files = {
            path: base64.b64encode(bytes_written(content)).decode()
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


class RunShell(Asked):
    """A command line."""

    command: Annotated[
        str, Field(description="For bash. cargo, go, node, python are there. It has no network.")
    ]
    artifacts: Patterns = ()
    timeout_s: Seconds = None

    def snippet(self, toolchain: Language | None) -> Snippet:
        """The same in the words of the sandbox, run where `toolchain` is installed."""
        return Snippet(
            language="bash",
            code=self.command,
            toolchain=toolchain,
            artifacts=self.artifacts,
            limits=Limits(timeout_s=self.timeout_s),
        )


class WriteFile(Asked):
    """A file to be made or replaced."""

    path: Annotated[str, Field(description="Relative to the workspace.")]
    content: Annotated[str, Field(description=HOW)]


class ReadFile(Asked):
    """A file to be read."""

    path: Annotated[str, Field(description="Relative to the workspace.")]


class ListFiles(Asked):
    """The names of the files."""
