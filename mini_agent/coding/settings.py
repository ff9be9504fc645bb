"""Claude Code's settings.json of the user, the project and this machine, as far as we read them.

Where in a JSON text a value stands, for whoever has to mend it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

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

BLANK: Final = " \t\r\n"
DECODER: Final = json.JSONDecoder()


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line of the value at `path` in a valid text; a step that is not there ends the way."""
    place = _after(text, 0)
    for step in path:
        inside = dict(_inside(text, place))
        if step not in inside:
            break
        place = inside[step]
    return text.count("\n", 0, place) + 1


def _inside(text: str, place: int) -> Iterator[tuple[str | int, int]]:
    """The keys of the object or list that begins at `place`, and where their values do."""
    opens, place, number = text[place], _after(text, place + 1), 0
    while opens in "{[" and text[place] not in "}]":
        key: str | int = number
        if opens == "{":
            key, place = DECODER.raw_decode(text, place)
            place = _after(text, text.index(":", place) + 1)
        yield key, place
        place = _after(text, DECODER.raw_decode(text, place)[1])
        place = _after(text, place + 1) if text[place] == "," else place
        number += 1


def _after(text: str, place: int) -> int:
    """The first place from there on that is not blank."""
    while place < len(text) and text[place] in BLANK:
        place += 1
    return place


# hooks, an event, a number, hooks, a number, and then the name of a kind, which is no key.
KIND_PLACE: Final = 5


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Command(_Read):
    type: Literal["command"] = Field(description="The type of the hook; only commands are run.")
    command: Annotated[str, Field(min_length=1, description="The command line.")]
    timeout: Annotated[
        float, Field(gt=0, le=86_400, description="Seconds it may run, at most 86400.")
    ] = DEFAULT_TIMEOUT_S


def _compiles(matcher: str) -> str:
    try:
        re.compile(matcher if matcher != "*" else "")
    except re.error as odd:
        raise ValueError(f"{matcher!r:.80} is no regular expression: {odd}") from None
    return matcher


def _kind(hook: object) -> str:
    return "command" if isinstance(hook, dict) and hook.get("type") == "command" else "other"


_Hook = Annotated[
    Annotated[_Command, Tag("command")] | Annotated[dict[str, object], Tag("other")],
    Discriminator(_kind),
]


class _Group(_Read):
    matcher: Annotated[str, AfterValidator(_compiles)] = Field(
        default="", description="A regular expression for the names of tools; empty or * for all."
    )
    hooks: list[_Hook] = Field(
        default=[], description="The hooks, in order; those of other types are only remarked upon."
    )


class _Settings(_Read):
    hooks: dict[str, list[_Group]] = Field(default={}, description="Groups of hooks by event.")
    env: dict[str, str] = Field(default={}, description="Environment variables of the session.")
    model: str = Field(default="", description="The model; empty for the default.")
    disable_hooks: bool = Field(
        default=False,
        alias="disableAllHooks",
        description="Whether the hooks of this file and of all files before it are left out.",
    )


@dataclass(frozen=True, slots=True)
class ClaudeSettings:
    """What the files say together; `remarks` are about what is in them and not done here."""

    hooks: tuple[CommandHook, ...] = ()
    model: str = ""
    env: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def settings_paths(claude_home: Path, project: Path) -> tuple[Path, ...]:
    """The files, what counts more behind what counts less."""
    own = project / ".claude"
    return (claude_home / "settings.json", own / "settings.json", own / "settings.local.json")


def read_settings(paths: Iterable[Path]) -> ClaudeSettings:
    """All files that are there; `NotConfigured` names file, line and key of what is wrong."""
    merged = ClaudeSettings()
    for path in paths:
        read = _read(path)
        if read is None:
            continue
        merged = ClaudeSettings(
            hooks=() if read.disable_hooks else (*merged.hooks, *_hooks(read)),
            model=read.model or merged.model,
            env={**merged.env, **read.env},
            warnings=(*merged.warnings, *_find_warnings(path, read)),
        )
    return merged


def _read(path: Path) -> _Settings | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as unreadable:
        raise NotConfigured(f"{path} cannot be read: {unreadable}") from None
    try:
        read = json.loads(text or "{}")
        if not isinstance(read, dict):
            raise NotConfigured(f"{path}, line 1: it must be one JSON object")
        return _Settings.model_validate(read)
    except json.JSONDecodeError as broken:
        raise NotConfigured(
            f"{path}, line {broken.lineno}: {broken.msg}", hint="it must be one JSON object"
        ) from None
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        steps = _steps(first["loc"])
        keys = ".".join(map(str, steps))
        said = first["msg"].removeprefix("Value error, ")
        raise NotConfigured(f"{path}, line {line_of(text, steps)}: {keys}: {said}") from None


def _steps(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return (*loc[:KIND_PLACE], *loc[KIND_PLACE + 1 :]) if loc[:1] == ("hooks",) else loc


def _hooks(read: _Settings) -> Iterator[CommandHook]:
    for event in EVENT_NAMES:
        for group in read.hooks.get(event, []):
            for hook in group.hooks:
                if isinstance(hook, _Command):
                    yield CommandHook(event, hook.command, group.matcher, hook.timeout)


def _find_warnings(path: Path, read: _Settings) -> Iterator[str]:
    for event, groups in read.hooks.items():
        if event not in EVENT_NAMES:
            yield f"{path}: hooks of {event} are not run here"
        for hook in (each for group in groups for each in group.hooks):
            if not isinstance(hook, _Command):
                kind = hook.get("type")
                yield f"{path}: a hook of type {kind!r:.40} is not run here; only commands are"
