"""Reads the permissions in Claude Code's settings files, and adds the rules to remember."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mini_agent.coding.options import PermissionMode
from mini_agent.coding.permissions.rules import Rule, Rules, parse_rule
from mini_agent.coding.settings import SettingsFile, load_settings_file
from mini_agent.coding.tools.text_file import write_file
from mini_agent.errors import BadRequest, NotConfigured

LOCAL_SETTINGS: Final = Path(".claude", "settings.local.json")
RULE_LISTS: Final = ("allow", "ask", "deny")
# Modes of Claude Code that allow more than ours; they count as "default".
UNSUPPORTED_MODES: Final = ("auto", "dontAsk", "delegate")


def _parse_rule(written: object) -> object:
    if not isinstance(written, str):
        return written
    try:
        return parse_rule(written)
    except BadRequest as error:
        raise ValueError(str(error)) from None


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

    @model_validator(mode="before")
    @classmethod
    def _reject_other_spellings(cls, value: object) -> object:
        """Refuse `Deny` and the like: rules under it would not hold."""
        for key in value if isinstance(value, dict) else ():
            if key not in RULE_LISTS and str(key).strip().lower() in RULE_LISTS:
                raise ValueError(f"the key {key!r} has to be written {key.strip().lower()!r}")
        return value


@dataclass(frozen=True, slots=True)
class PermissionSettings:
    """The permissions of all settings files, merged; `mode` is None if no file sets it."""

    rules: Rules = field(default_factory=Rules)
    mode: PermissionMode | None = None
    additional: tuple[Path, ...] = ()


def read_permission_settings(paths: Iterable[Path], project: Path) -> PermissionSettings:
    """Load and merge the files; see `merge_permission_settings`."""
    return merge_permission_settings(map(load_settings_file, paths), project)


def merge_permission_settings(files: Iterable[SettingsFile], project: Path) -> PermissionSettings:
    """Merge the files, lowest precedence first.

    Raises `NotConfigured` with file, line and key of what is wrong. A file in the project cannot
    switch permissions off, as its author may be a stranger to the user.
    """
    merged = PermissionSettings()
    for file in files:
        permissions = file.validate(_File).permissions
        mode = permissions.mode
        if mode == "bypassPermissions" and file.path.is_relative_to(project):
            mode = None
        folders = (_resolve_folder(each, project) for each in permissions.additional)
        merged = PermissionSettings(
            merged.rules + Rules(permissions.deny, permissions.ask, permissions.allow),
            mode or merged.mode,
            (*merged.additional, *folders),
        )
    return merged


def add_allow_rule(path: Path, rule: Rule) -> None:
    """Add the rule to `permissions.allow` of the file; all else in it stays."""
    settings = load_settings_file(path).value
    permissions = settings.setdefault("permissions", {})
    allowed = permissions.setdefault("allow", []) if isinstance(permissions, dict) else None
    if not isinstance(allowed, list):
        raise NotConfigured(f"{path}: permissions.allow is not a list", hint="make it one")
    if str(rule) in allowed:
        return
    allowed.append(str(rule))
    try:
        write_file(path, (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise NotConfigured(
            f"the rule {rule} cannot be kept in {path}: {error.strerror}",
            hint="it holds until the end of this session",
        ) from None


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    permissions: _Permissions = Field(
        default=_Permissions(), description="The permissions of the file."
    )


def _resolve_folder(written: str, project: Path) -> Path:
    return project / Path(written).expanduser()
