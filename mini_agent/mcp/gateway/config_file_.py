"""A file that names MCP servers: Codex's config.toml, or a .mcp.json."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.errors import NotConfigured

TABLE: Final = "mcp_servers"
OLD_TABLE: Final = "servers"
JSON_TABLE: Final = "mcpServers"
HOW: Final = "such as [mcp_servers.NAME] with a command or a url"


@dataclass(frozen=True, slots=True)
class Tables:
    """The servers of one file by name, unread, and remarks on the file."""

    path: Path
    servers: Mapping[str, object]
    remarks: tuple[str, ...] = ()


def usual_file(variables: Mapping[str, str]) -> Path:
    """Codex's own file: in CODEX_HOME, else in ~/.codex."""
    home = variables.get("CODEX_HOME") or str(Path.home() / ".codex")
    return Path(home) / "config.toml"


def tables_in(path: Path) -> Tables:
    """The servers that a file names; `NotConfigured` says what is wrong with it, and where."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as unreadable:
        raise NotConfigured(
            f"{path} cannot be read: {unreadable.strerror}",
            hint="name a config.toml of Codex or a .mcp.json with --config",
        ) from None
    except UnicodeDecodeError as odd:
        raise NotConfigured(f"{path} is not UTF-8 text: {odd.reason}") from None
    return _of_json(path, text) if path.suffix == ".json" else _of_toml(path, text)


def _of_toml(path: Path, text: str) -> Tables:
    try:
        read: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise NotConfigured(f"{path} is not TOML: {broken}") from None
    new, old = _table(path, read, TABLE), _table(path, read, OLD_TABLE)
    remarks = (
        f"{path}: [{OLD_TABLE}.{name}] is the old way to write [{TABLE}.{name}], and Codex does "
        f"not read it{'; it is not used, as both are there' if name in new else ''}"
        for name in old
    )
    return Tables(path, {**old, **new}, tuple(remarks))


def _of_json(path: Path, text: str) -> Tables:
    try:
        read = json.loads(text, object_pairs_hook=_each_once)
    except _Twice as name:
        raise NotConfigured(
            f"{path}: {name} stands there twice in one object", hint="rename or remove one of them"
        ) from None
    except json.JSONDecodeError as broken:
        where = f"line {broken.lineno}, column {broken.colno}"
        raise NotConfigured(f"{path} is not JSON: {broken.msg} (at {where})") from None
    if not isinstance(read, dict):
        raise NotConfigured(f"{path} holds no object", hint=f'such as {{"{JSON_TABLE}": {{}}}}')
    return Tables(path, _table(path, read, JSON_TABLE))


class _Twice(Exception):
    """A name that an object has twice, of which JSON's readers would take the last in silence."""


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read: dict[str, object] = {}
    for name, value in pairs:
        if name in read:
            raise _Twice(repr(name))
        read[name] = value
    return read


def _table(path: Path, read: Mapping[str, object], name: str) -> dict[str, object]:
    table = read.get(name, {})
    if not isinstance(table, dict):
        raise NotConfigured(f"{path}: {name} is not a table of servers", hint=HOW)
    return {str(key): value for key, value in table.items()}
