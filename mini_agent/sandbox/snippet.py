"""A snippet: a program with its files, input and the limits it asks for."""

from __future__ import annotations

import base64
import binascii
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mini_agent.errors import BadRequest
from mini_agent.sandbox.languages import Language, language_named

MAX_CODE_BYTES: Final = 8_388_608
MAX_STDIN_BYTES: Final = 8_388_608
MAX_FILES: Final = 256
MAX_FILES_BYTES: Final = 16_777_216
MAX_ENV: Final = 64
RESERVED_ENV: Final = ("LD_", "PATH", "HOME", "MINI_AGENT_")


class Limits(BaseModel):
    """What one snippet may spend. Every field left out takes the language's default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_s: Annotated[float, Field(ge=0.1, le=600)] | None = None
    memory_mb: Annotated[int, Field(ge=32, le=8192)] | None = None
    cpus: Annotated[float, Field(ge=0.1, le=64)] | None = None
    pids: Annotated[int, Field(ge=8, le=1024)] | None = None
    output_bytes: Annotated[int, Field(ge=1, le=8_388_608)] | None = None
    workspace_mb: Annotated[int, Field(ge=1, le=4096)] | None = None


class Snippet(BaseModel):
    """One program to run; `files` are base64 by relative path, `artifacts` are glob patterns.

    `toolchain` is for bash alone: the language whose image (and so whose compilers) runs it.
    `isolation` is for python: "fork" starts it as a copy of a warm interpreter, "spawn" as a clean
    one. `stateful` is for python in a session: variables and imports stay for the next snippet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    code: Annotated[str, Field(max_length=MAX_CODE_BYTES)]
    stdin: Annotated[str, Field(max_length=MAX_STDIN_BYTES)] = ""
    args: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    files: Annotated[dict[str, str], Field(max_length=MAX_FILES)] = {}
    env: Annotated[dict[str, str], Field(max_length=MAX_ENV)] = {}
    limits: Limits = Limits()
    artifacts: Annotated[tuple[str, ...], Field(max_length=16)] = ()
    toolchain: Language | None = None
    isolation: Literal["fork", "spawn"] = "fork"
    stateful: bool = False

    @field_validator("language", "toolchain", mode="before")
    @classmethod
    def _language(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return language_named(value)
        except BadRequest as unknown:
            raise ValueError(unknown.message) from None

    @field_validator("files")
    @classmethod
    def _files(cls, files: dict[str, str]) -> dict[str, str]:
        if sum(len(content) for content in files.values()) > MAX_FILES_BYTES * 4 // 3 + 4:
            raise ValueError(f"files hold more than {MAX_FILES_BYTES} bytes")
        for name, content in files.items():
            require_plain_path(name)
            _require_base64(name, content)
        return files

    @field_validator("env")
    @classmethod
    def _env(cls, env: dict[str, str]) -> dict[str, str]:
        for name, value in env.items():
            if not name.isidentifier() or not name.isascii() or name.startswith(RESERVED_ENV):
                raise ValueError(f"environment variable {name!r} cannot be set")
            if "\0" in value:
                raise ValueError(f"environment variable {name!r} holds a NUL byte")
        return env

    @field_validator("code", "stdin", "args")
    @classmethod
    def _encodable(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (value,) if isinstance(value, str) else value:
            try:
                text.encode()
            except UnicodeEncodeError as broken:
                raise ValueError(f"not valid Unicode text: {broken.reason}") from None
        if not isinstance(value, str) and any("\0" in text for text in value):
            raise ValueError("an argument holds a NUL byte")
        return value


def require_plain_path(name: str) -> None:
    """Raises `ValueError` unless it is a relative path that stays inside and means only itself."""
    path = PurePosixPath(name)
    plain = name.isprintable() and len(name.encode(errors="replace")) <= 255
    inside = not path.is_absolute() and ".." not in path.parts and path.parts != ()
    # A part that looks like an option or a home folder would mean something else to a shell.
    harmless = not any(part.startswith(("-", "~", ".mini-agent")) for part in path.parts)
    if not (plain and inside and harmless and str(path) == name):
        raise ValueError(f"file name {name!r} is not a plain relative path")


def _require_base64(name: str, content: str) -> None:
    try:
        base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"file {name!r} is not base64") from None
