"""Reads Claude Code's settings.json files of the user, the project and this machine.

`load_settings_file` is the one reader of these files; permissions/settings.py validates the
permissions in what it returns.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.coding.hooks.commands import CommandHook
from mini_agent.coding.hooks.configuration import HookSettings, parse_hooks
from mini_agent.coding.text_source import FileRefused, NotRegular, read_source
from mini_agent.errors import NotConfigured
from mini_agent.messages import JsonObject

WHITESPACE: Final = " \t\r\n"
DECODER: Final = json.JSONDecoder()
MAX_BYTES: Final = 4 << 20
NO_OBJECT: Final = "it must be one JSON object"
PERMISSIONS_KEY: Final = "permissions"
SANDBOX_KEY: Final = "sandbox"
# Keys that restrict: of two, JSON keeps the last, and what the first restricts would be allowed.
RESTRICTING_KEYS: Final = (PERMISSIONS_KEY, SANDBOX_KEY, "deny", "ask")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Whether and how Bash runs in the sandbox; sizes are MiB, 0 for the default.

    `include` are paths of the project that are copied although git ignores them.
    """

    enabled: bool = False
    allows_bash: bool = True
    workspace_mb: int = 1024
    memory_mb: int = 0
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaudeSettings:
    """The settings of all files, merged; `warnings` name entries that have no effect here."""

    hooks: tuple[CommandHook, ...] = ()
    model: str = ""
    env: dict[str, str] = field(default_factory=dict)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """One settings.json: its text without a byte order mark, and the JSON object in it."""

    path: Path
    text: str
    value: JsonObject

    def validate(self, model: type[Model]) -> Model:
        """Validate the value; raises `NotConfigured` with file, line and key of the first error."""
        try:
            return model.model_validate(self.value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            message = first["msg"].removeprefix("Value error, ")
            raise NotConfigured(self.describe(first["loc"], message)) from None

    def describe(self, keys: Sequence[str | int], message: str) -> str:
        """Return the message behind the file, the line and the keys."""
        line = find_line(self.text, keys)
        return f"{self.path}, line {line}: {'.'.join(map(str, keys))}: {message}"


def settings_paths(claude_home: Path, project: Path) -> tuple[Path, ...]:
    """Return the paths of the files, lowest precedence first; in the home folder one file less."""
    own = project / ".claude"
    paths = (claude_home / "settings.json", own / "settings.json", own / "settings.local.json")
    return tuple(dict.fromkeys(paths))


def load_settings_file(path: Path) -> SettingsFile:
    """Read and parse a file; a missing or empty one is an empty object.

    Raises `NotConfigured` with file and line where it cannot be read or is no JSON object.
    """
    try:
        text = _read_text(path)
    except NotRegular as refused:
        raise NotConfigured(f"{path} cannot be read: {refused}") from None
    value = _parse_json(path, text)
    if not isinstance(value, dict):
        raise NotConfigured(f"{path}, line 1: {NO_OBJECT}")
    return SettingsFile(path, text, value)


def load_usable_settings(path: Path) -> tuple[SettingsFile, tuple[str, ...]]:
    """Read a file, leave out what is wrong in it, and return a line for each of that.

    Raises `NotConfigured` where that may be a permission, or what runs commands in the sandbox:
    without it more would be allowed.
    """
    try:
        text = _read_text(path)
    except NotRegular as refused:
        return SettingsFile(path, "{}", {}), (f"{path} is left out: {refused}",)
    value = _parse_json(path, text)
    if not isinstance(value, dict):
        if PERMISSIONS_KEY in text or SANDBOX_KEY in text:
            raise NotConfigured(f"{path}, line 1: {NO_OBJECT}, and it holds permissions")
        return SettingsFile(path, "{}", {}), (f"{path}, line 1: {NO_OBJECT}: it is left out",)
    return _drop_invalid(SettingsFile(path, text, value))


def _drop_invalid(file: SettingsFile) -> tuple[SettingsFile, tuple[str, ...]]:
    value, lines = copy.deepcopy(file.value), []
    for key in [key for key, each in value.items() if each is None]:
        del value[key]
        lines.append(file.describe((key,), "it is null, and left out"))
    while True:
        try:
            _Settings.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            if first["loc"][0] == SANDBOX_KEY:
                raise NotConfigured(file.describe(first["loc"], first["msg"])) from None
            lines.append(file.describe(first["loc"], f"{first['msg']}: it is left out"))
            _delete(value, first["loc"])
        else:
            return replace(file, value=value), tuple(lines)


def _delete(value: JsonObject, keys: Sequence[str | int]) -> None:
    """Delete the value under two keys where the first leads to an object, else under the first."""
    outer, *inner = (str(key) for key in keys)
    within = value.get(outer)
    if inner and isinstance(within, dict) and inner[0] in within:
        del within[inner[0]]
    else:
        del value[outer]


def _read_text(path: Path) -> str:
    try:
        source = read_source(path, None, MAX_BYTES)
    except FileNotFoundError:
        return ""
    except NotRegular:
        raise
    except FileRefused as error:
        raise NotConfigured(f"{path} cannot be read: {error}") from None
    if source.is_cut:
        raise NotConfigured(f"{path} has more than {MAX_BYTES >> 20} MB")
    return source.text


def _parse_json(path: Path, text: str) -> object:
    try:
        written = text if text.strip() else "{}"
        parsed: object = json.loads(written, object_pairs_hook=_build_object)
    except json.JSONDecodeError as error:
        raise NotConfigured(f"{path}, line {error.lineno}: {error.msg}", hint=NO_OBJECT) from None
    except (ValueError, RecursionError) as error:
        raise NotConfigured(f"{path}: {error}", hint=NO_OBJECT) from None
    return parsed


def _build_object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    for key in RESTRICTING_KEYS:
        if keys.count(key) > 1:
            raise ValueError(f"{key!r} is written twice in one object: put both into one")
    return dict(pairs)


def merge_settings(files: Iterable[SettingsFile]) -> ClaudeSettings:
    """Merge the files, lowest precedence first; raises `NotConfigured` for an invalid one.

    A hook with an error is a hook that fails, and a warning.
    """
    merged = ClaudeSettings()
    for file in files:
        settings = file.validate(_Settings)
        parsed = parse_hooks(settings.hooks)
        own = (replace(each, source=file.path) for each in parsed.hooks)
        merged = ClaudeSettings(
            hooks=() if settings.disable_hooks else (*merged.hooks, *own),
            model=settings.model or merged.model,
            env={**merged.env, **settings.env},
            sandbox=_merge_sandbox(merged.sandbox, settings.sandbox),
            warnings=(*merged.warnings, *_describe_problems(file, parsed, settings)),
        )
    return merged


def _describe_problems(
    file: SettingsFile, parsed: HookSettings, settings: _Settings
) -> Iterator[str]:
    if settings.sandbox.excluded_commands:
        keys = (SANDBOX_KEY, "excludedCommands")
        yield file.describe(keys, "not followed: all commands run in the sandbox")
    for problem in parsed.problems:
        yield file.describe(problem.keys, problem.message)


def find_line(text: str, keys: Sequence[str | int]) -> int:
    """Return the line number of the value under `keys` in a valid JSON text.

    Where a key is missing, it is the line of the innermost value that exists.
    """
    position = _skip_whitespace(text, 0)
    for key in keys:
        children = dict(_iter_children(text, position))
        if key not in children:
            break
        position = children[key]
    return text.count("\n", 0, position) + 1


def _iter_children(text: str, position: int) -> Iterator[tuple[str | int, int]]:
    """Yield the keys of the object or list at `position`, each with the position of its value."""
    opening, position, index = text[position], _skip_whitespace(text, position + 1), 0
    while opening in "{[" and text[position] not in "}]":
        key: str | int = index
        if opening == "{":
            key, position = DECODER.raw_decode(text, position)
            position = _skip_whitespace(text, text.index(":", position) + 1)
        yield key, position
        position = _skip_whitespace(text, DECODER.raw_decode(text, position)[1])
        position = _skip_whitespace(text, position + 1) if text[position] == "," else position
        index += 1


def _skip_whitespace(text: str, position: int) -> int:
    while position < len(text) and text[position] in WHITESPACE:
        position += 1
    return position


class _Sandbox(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    enabled: bool = Field(default=False, description="Whether Bash runs in the sandbox.")
    allows_bash: bool = Field(
        default=True,
        alias="autoAllowBashIfSandboxed",
        description="Whether Bash needs no permission there.",
    )
    workspace_mb: Annotated[int, Field(ge=16, le=4096)] | None = Field(
        default=None,
        alias="workspaceMb",
        description="MiB for the copy and for what commands make, 16 to 4096.",
    )
    memory_mb: Annotated[int, Field(ge=128, le=8192)] | None = Field(
        default=None,
        alias="memoryMb",
        description="MiB of memory, the workspace included, 128 to 8192.",
    )
    include: tuple[str, ...] = Field(
        default=(), description="Paths that are copied although git ignores them."
    )
    excluded_commands: tuple[object, ...] = Field(
        default=(), alias="excludedCommands", description="Not followed: all commands run there."
    )


class _Settings(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    hooks: object = Field(default={}, description="Groups of hooks by event.")
    env: dict[str, str] = Field(default={}, description="Environment variables of the session.")
    model: str = Field(default="", description="The model; empty for the default.")
    sandbox: _Sandbox = Field(default=_Sandbox(), description="Bash in the sandbox.")
    disable_hooks: bool = Field(
        default=False,
        alias="disableAllHooks",
        description="Whether the hooks of this file and of all files before it are left out.",
    )


def _merge_sandbox(merged: SandboxSettings, file: _Sandbox) -> SandboxSettings:
    # INVARIANT: a file switches the sandbox on, never off; only the command line does that.
    return SandboxSettings(
        enabled=merged.enabled or file.enabled,
        allows_bash=merged.allows_bash and file.allows_bash,
        workspace_mb=file.workspace_mb or merged.workspace_mb,
        memory_mb=file.memory_mb or merged.memory_mb,
        include=(*merged.include, *file.include),
    )
