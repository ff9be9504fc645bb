"""A snippet: a program with its files, input and the limits it asks for."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, Self
from unicodedata import category

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.languages import Language, parse_language

MAX_CODE_BYTES: Final = 8_388_608
MAX_STDIN_BYTES: Final = 8_388_608
MAX_FILES: Final = 256
MAX_FILES_BYTES: Final = 16_777_216
MAX_ENV: Final = 64
MAX_NAME_BYTES: Final = 255
MAX_PATH_BYTES: Final = 1024
# A folder of the runner's, and names that it uses for a moment.
RESERVED_PREFIX: Final = ".mini-agent"
_OPTION: Final = re.compile(r"-[^.]*|-.*=.*")
_DIRECTIONS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
RESERVED_ENV: Final = ("LD_", "MINI_AGENT_")
USER: Final = "sandbox"


class Limits(BaseModel):
    """What one snippet may spend. Every field left out takes the language's default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_s: Annotated[float, Field(ge=0.1, le=600)] | None = Field(
        default=None,
        description="Seconds the program may run, 0.1 to 600; compiling has a limit of its own.",
    )
    memory_mb: Annotated[int, Field(ge=32, le=8192)] | None = Field(
        default=None, description="Memory in MiB, 32 to 8192; files in the workspace count as well."
    )
    cpus: Annotated[float, Field(ge=0.1, le=64)] | None = Field(
        default=None, description="Processor cores, 0.1 to 64."
    )
    pids: Annotated[int, Field(ge=8, le=1024)] | None = Field(
        default=None, description="Processes and threads at the same time, 8 to 1024."
    )
    output_bytes: Annotated[int, Field(ge=1, le=8_388_608)] | None = Field(
        default=None, description="Bytes kept of each of stdout and stderr, at most 8 MiB."
    )
    workspace_mb: Annotated[int, Field(ge=1, le=4096)] | None = Field(
        default=None,
        description="Size of the workspace in MiB, 1 to 4096; it has to fit in `memory_mb`.",
    )


class Snippet(BaseModel):
    """One program to run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language = Field(
        description="The language of the code; aliases such as py, js and sh are taken too."
    )
    code: Annotated[
        str,
        Field(
            max_length=MAX_CODE_BYTES, description="The source of the whole program, at most 8 MiB."
        ),
    ]
    stdin: Annotated[
        str,
        Field(
            max_length=MAX_STDIN_BYTES,
            description="What the program reads from its standard input, at most 8 MiB; empty by "
            "default.",
        ),
    ] = ""
    stdin_base64: Annotated[
        str,
        Field(
            max_length=MAX_STDIN_BYTES * 4 // 3 + 4,
            description="The same for input that is no text: bytes, base64-encoded; in the place "
            "of `stdin`.",
        ),
    ] = ""
    args: Annotated[
        tuple[str, ...], Field(max_length=64, description="Command line arguments, at most 64.")
    ] = ()
    files: Annotated[
        dict[str, str],
        Field(
            max_length=MAX_FILES,
            description="Files of the workspace by relative path, base64-encoded; at most 256 and "
            "16 MiB in all.",
        ),
    ] = {}
    env: Annotated[
        dict[str, str],
        Field(
            max_length=MAX_ENV,
            description="Environment variables, at most 64; none may begin with LD_ or "
            "MINI_AGENT_.",
        ),
    ] = {}
    limits: Limits = Field(
        default=Limits(),
        description="What the snippet may spend; what is left out takes the language's default.",
    )
    artifacts: Annotated[
        tuple[str, ...],
        Field(
            max_length=16,
            description="Files that come back, at most 16 of: a path, a folder for all in it, or "
            "a pattern with *, ?, [a-z], {a,b} and ** for any folders; none by default.",
        ),
    ] = ()
    toolchain: Language | None = Field(
        default=None,
        description="For bash alone: the language whose image, and so whose compilers, runs it.",
    )
    user: str = Field(
        default=USER,
        description="The user that it runs as: a sandbox has this one alone, and no root.",
    )
    isolation: Literal["fork", "spawn"] = Field(
        default="fork",
        description='For python: "fork" starts it as a copy of a warm interpreter, "spawn" as a '
        "clean one.",
    )
    stateful: bool = Field(
        default=False,
        description="For python in a session: whether variables and imports stay for the next "
        "snippet.",
    )

    def input_bytes(self) -> bytes:
        """Return what the program reads from its standard input."""
        return base64.b64decode(self.stdin_base64) or self.stdin.encode()

    @field_validator("language", "toolchain", mode="before")
    @classmethod
    def _language(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse_language(value)
        except BadRequest as unknown:
            raise ValueError(unknown.message) from None

    @field_validator("files")
    @classmethod
    def _files(cls, files: dict[str, str]) -> dict[str, str]:
        placed: dict[str, str] = {}
        for name, content in files.items():
            path = normalize_new_path(name)
            if path in placed:
                raise ValueError(f"file {path!r} is there twice")
            placed[path] = _clean_base64(f"file {name!r}", content)
        if sum(map(len, placed.values())) > MAX_FILES_BYTES * 4 // 3 + 4:
            raise ValueError(f"files hold more than {MAX_FILES_BYTES} bytes")
        return placed

    @field_validator("stdin_base64")
    @classmethod
    def _stdin_base64(cls, content: str) -> str:
        return _clean_base64("it", content)

    @field_validator("user")
    @classmethod
    def _user(cls, user: str) -> str:
        if user != USER:
            raise ValueError(f"a sandbox has no user but {USER!r}, and nothing in it runs as root")
        return user

    @model_validator(mode="after")
    def _has_one_stdin(self) -> Self:
        if self.stdin and self.stdin_base64:
            raise ValueError("stdin and stdin_base64 are both given; give one of them")
        return self

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


def _clean_base64(what: str, content: str) -> str:
    """Return the base64 without the line breaks that the command of that name makes."""
    content = "".join(content.split())
    try:
        base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{what} is not base64") from None
    return content


def normalize_new_path(name: str) -> str:
    """Return the path under which a file is made; `ValueError` says why there can be none.

    Any name that a file system takes, but for one that is made to look like something else.
    """
    path = normalize_path(name)
    control = next((character for character in path if _is_control(character)), None)
    if control is not None:
        raise ValueError(f"file name {name!r} holds a control character, {control!r}")
    for part in path.split("/"):
        if _OPTION.fullmatch(part):
            raise ValueError(
                f"file name {name!r} would be read as an option of a command: {part!r}"
            )
    if path.startswith("~") and "/" in path:
        raise ValueError(f"file name {name!r} begins with ~, which is a home folder to a shell")
    return path


def _is_control(character: str) -> bool:
    # Among the signs that are not seen, those that turn the direction of what follows.
    return category(character) == "Cc" or character in _DIRECTIONS


def require_plain_path(name: str) -> None:
    """Raise `ValueError`, which says why, unless a file can be made under this name."""
    normalize_new_path(name)


def normalize_path(name: str) -> str:
    """Return the path of a file that may be there, relative to the workspace and without "./".

    Raises `ValueError`, which says why it can be none of the workspace's.
    """
    path = PurePosixPath(name)
    for why, holds in _reasons(name, path).items():
        if holds:
            raise ValueError(f"file name {name!r:.300} is not a plain relative path: it {why}")
    return str(path)


def _reasons(name: str, path: PurePosixPath) -> dict[str, bool]:
    encoded = name.encode(errors="surrogatepass")
    longest = max((len(part.encode(errors="surrogatepass")) for part in path.parts), default=0)
    return {
        "names no file": path.parts == () or name.endswith(("/", "/.")),
        "is absolute, so name it relative to the workspace": path.is_absolute(),
        "leads out of the workspace by '..'": ".." in path.parts,
        "holds a NUL character": "\0" in name,
        "is not valid Unicode text": any("\ud800" <= each <= "\udfff" for each in name),
        f"has a part of more than {MAX_NAME_BYTES} bytes": longest > MAX_NAME_BYTES,
        f"has more than {MAX_PATH_BYTES} bytes": len(encoded) > MAX_PATH_BYTES,
        f"begins with {RESERVED_PREFIX}, which is the runner's": any(
            part.startswith(RESERVED_PREFIX) for part in path.parts
        ),
    }
