"""Reads the permissions in Claude Code's settings files, and adds the rules to remember."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mini_agent.coding.options import PermissionMode
from mini_agent.coding.permissions.rules import Rule, Rules, parse_rule
from mini_agent.coding.tools.text_file import write_file
from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.messages import JsonObject

LOCAL_SETTINGS: Final = Path(".claude", "settings.local.json")
# Claude Code's own, which allow more than what is asked for here.
UNSUPPORTED_MODES: Final = ("auto", "dontAsk", "delegate")


def _parse_rule(written: object) -> object:
    if not isinstance(written, str):
        return written
    try:
        return parse_rule(written)
    except BadRequest as wrong:
        raise ValueError(str(wrong)) from None


def _parse_mode(written: object) -> object:
    return "default" if written in UNSUPPORTED_MODES else written


RuleText = Annotated[Rule, BeforeValidator(_parse_rule)]


class _Permissions(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    allow: tuple[RuleText, ...] = Field(
        default=(), description="Rules for calls that need no question."
    )
    ask: tuple[RuleText, ...] = Field(
        default=(), description="Rules for calls that the user is asked about."
    )
    deny: tuple[RuleText, ...] = Field(default=(), description="Rules for calls that are refused.")
    mode: Annotated[PermissionMode | None, BeforeValidator(_parse_mode)] = Field(
        default=None, alias="defaultMode", description="The mode that a session begins in."
    )
    additional: tuple[str, ...] = Field(
        default=(),
        alias="additionalDirectories",
        description="Folders beside the project that may be worked in.",
    )


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    permissions: _Permissions = Field(
        default=_Permissions(), description="The permissions of the file."
    )


@dataclass(frozen=True, slots=True)
class PermissionSettings:
    """The permissions of all settings files, merged; `mode` is None if no file sets it."""

    rules: Rules = field(default_factory=Rules)
    mode: PermissionMode | None = None
    additional: tuple[Path, ...] = ()


def permission_files(claude_home: Path, project: Path) -> tuple[Path, ...]:
    """Return the files of the user, the project and this machine, lowest precedence first."""
    own = project / ".claude" / "settings.json"
    return (claude_home / "settings.json", own, project / LOCAL_SETTINGS)


def read_permission_settings(paths: Iterable[Path], project: Path) -> PermissionSettings:
    """Read and merge the files that exist, lowest precedence first.

    Raises `NotConfigured` with file, line and key of what is wrong. A file in the project cannot
    switch permissions off, as its author may be a stranger to the user.
    """
    merged = PermissionSettings()
    for path in paths:
        permissions = _read_permissions(path)
        mode = permissions.mode
        if mode == "bypassPermissions" and path.is_relative_to(project):
            mode = None
        merged = PermissionSettings(
            merged.rules + Rules(permissions.deny, permissions.ask, permissions.allow),
            mode or merged.mode,
            (
                *merged.additional,
                *(_resolve_folder(each, project) for each in permissions.additional),
            ),
        )
    return merged


def add_allow_rule(path: Path, rule: Rule) -> None:
    """Add the rule to `permissions.allow` of the file; all else in it stays."""
    settings = _parse_json(path, _read_text(path))
    permissions = settings.setdefault("permissions", {})
    allowed = permissions.setdefault("allow", []) if isinstance(permissions, dict) else None
    if not isinstance(allowed, list):
        raise NotConfigured(f"{path}: permissions.allow is not a list", hint="make it one")
    if str(rule) in allowed:
        return
    allowed.append(str(rule))
    try:
        write_file(path, (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as broken:
        raise NotConfigured(
            f"the rule {rule} cannot be kept in {path}: {broken.strerror}",
            hint="it holds until the end of this session",
        ) from None


def _read_permissions(path: Path) -> _Permissions:
    text = _read_text(path)
    settings = _parse_json(path, text)
    try:
        return _File.model_validate(settings).permissions
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        keys = [str(step) for step in first["loc"]]
        line = _line_of(text, [*keys, str(first["input"])])
        permissions = first["msg"].removeprefix("Value error, ")
        raise NotConfigured(f"{path}, line {line}: {'.'.join(keys)}: {permissions}") from None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as unreadable:
        raise NotConfigured(f"{path} cannot be read: {unreadable}") from None


def _parse_json(path: Path, text: str) -> JsonObject:
    try:
        settings: object = json.loads(text or "{}")
    except json.JSONDecodeError as broken:
        raise NotConfigured(
            f"{path}, line {broken.lineno}: {broken.msg}", hint="it must be one JSON object"
        ) from None
    if not isinstance(settings, dict):
        raise NotConfigured(f"{path}, line 1: it must be one JSON object")
    return settings


def _line_of(text: str, words: list[str]) -> int:
    """Return the line number of the last of the words that the text contains."""
    for word in reversed(words):
        place = text.find(json.dumps(word, ensure_ascii=False))
        if place >= 0:
            return text.count("\n", 0, place) + 1
    return 1


def _resolve_folder(written: str, project: Path) -> Path:
    return project / Path(written).expanduser()
