"""Reads Claude Code's settings.json files of the user, the project and this machine.

`load_settings_file` is the one reader of these files; permissions/settings.py validates the
permissions in what it returns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)

from mini_agent.coding.hooks.commands import DEFAULT_TIMEOUT_S, CommandHook
from mini_agent.coding.hooks.event import EVENT_NAMES
from mini_agent.errors import NotConfigured
from mini_agent.messages import JsonObject

WHITESPACE: Final = " \t\r\n"
DECODER: Final = json.JSONDecoder()
# In pydantic's path to a field of a hook (hooks, event, index, hooks, index, tag, field), the
# position of the union's tag, which is no key of the file.
TAG_POSITION: Final = 5
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
            keys = _strip_tag(first["loc"])
            where = f"{self.path}, line {find_line(self.text, keys)}: {'.'.join(map(str, keys))}"
            message = first["msg"].removeprefix("Value error, ")
            raise NotConfigured(f"{where}: {message}") from None


def settings_paths(claude_home: Path, project: Path) -> tuple[Path, ...]:
    """Return the paths of the files, lowest precedence first."""
    own = project / ".claude"
    return (claude_home / "settings.json", own / "settings.json", own / "settings.local.json")


def load_settings_file(path: Path) -> SettingsFile:
    """Read and parse a file; a missing or empty one is an empty object.

    Raises `NotConfigured` with file and line where it cannot be read or is no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"{path} cannot be read: {error}") from None
    try:
        value: object = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise NotConfigured(
            f"{path}, line {error.lineno}: {error.msg}", hint="it must be one JSON object"
        ) from None
    if not isinstance(value, dict):
        raise NotConfigured(f"{path}, line 1: it must be one JSON object")
    return SettingsFile(path, text, value)


def merge_settings(files: Iterable[SettingsFile]) -> ClaudeSettings:
    """Merge the files, lowest precedence first; raises `NotConfigured` for an invalid one."""
    merged = ClaudeSettings()
    for file in files:
        settings = file.validate(_Settings)
        merged = ClaudeSettings(
            hooks=() if settings.disable_hooks else (*merged.hooks, *_command_hooks(settings)),
            model=settings.model or merged.model,
            env={**merged.env, **settings.env},
            sandbox=_merge_sandbox(merged.sandbox, settings.sandbox),
            warnings=(*merged.warnings, *_find_warnings(file.path, settings)),
        )
    return merged


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


def _strip_tag(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return (*loc[:TAG_POSITION], *loc[TAG_POSITION + 1 :]) if loc[:1] == ("hooks",) else loc


class _SettingsModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Command(_SettingsModel):
    type: Literal["command"] = Field(description="The type of the hook; only commands are run.")
    command: Annotated[str, Field(min_length=1, description="The command line.")]
    timeout: Annotated[
        float, Field(gt=0, le=86_400, description="Seconds it may run, at most 86400.")
    ] = DEFAULT_TIMEOUT_S


def _check_matcher(matcher: str) -> str:
    try:
        re.compile(matcher if matcher != "*" else "")
    except re.error as error:
        raise ValueError(f"{matcher!r:.80} is no regular expression: {error}") from None
    return matcher


def _select_tag(hook: object) -> str:
    return "command" if isinstance(hook, dict) and hook.get("type") == "command" else "other"


_Hook = Annotated[
    Annotated[_Command, Tag("command")] | Annotated[dict[str, object], Tag("other")],
    Discriminator(_select_tag),
]


class _Group(_SettingsModel):
    matcher: Annotated[str, AfterValidator(_check_matcher)] = Field(
        default="", description="A regular expression for the names of tools; empty or * for all."
    )
    hooks: list[_Hook] = Field(
        default=[], description="The hooks, in order; those of other types only cause a warning."
    )


class _Sandbox(_SettingsModel):
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


class _Settings(_SettingsModel):
    hooks: dict[str, list[_Group]] = Field(default={}, description="Groups of hooks by event.")
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


def _command_hooks(settings: _Settings) -> Iterator[CommandHook]:
    for event in EVENT_NAMES:
        for group in settings.hooks.get(event, []):
            for hook in group.hooks:
                if isinstance(hook, _Command):
                    yield CommandHook(event, hook.command, group.matcher, hook.timeout)


def _find_warnings(path: Path, settings: _Settings) -> Iterator[str]:
    if settings.sandbox.excluded_commands:
        yield f"{path}: sandbox.excludedCommands is not followed: all commands run in the sandbox"
    for event, groups in settings.hooks.items():
        if event not in EVENT_NAMES:
            yield f"{path}: hooks of {event} are not run here"
        for hook in (each for group in groups for each in group.hooks):
            if not isinstance(hook, _Command):
                kind = hook.get("type")
                yield f"{path}: a hook of type {kind!r:.40} is not run here; only commands are"
