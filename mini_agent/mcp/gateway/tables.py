"""Reads the tables of servers in a file: TOML as Codex's, or JSON as editors and assistants write.

JSON may have comments, trailing commas and a byte order mark.
"""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.errors import NotConfigured

TABLE: Final = "mcp_servers"
OLD_TABLE: Final = "servers"
JSON_TABLE: Final = "mcpServers"
# VS Code's mcp.json has the second; its settings have the others.
JSON_TABLES: Final = (JSON_TABLE, "servers", "mcp_servers", "mcp.servers")
NESTED_TABLE: Final = "mcp"
SERVER_KEYS: Final = frozenset({"command", "url", "httpUrl", "serverUrl"})
FILE_HINT: Final = "such as [mcp_servers.NAME] with a command or a url"
JSON_SUFFIXES: Final = frozenset({".json", ".jsonc", ".json5"})
STRING: Final = r'"(?:[^"\\\n]|\\.)*"'
COMMENT: Final = re.compile(rf"({STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
TRAILING_COMMA: Final = re.compile(rf"({STRING})|(?<![{{\[,:\s]),(?=\s*[}}\]])", re.DOTALL)
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class ServerTables:
    """The tables of one file by server name, not yet validated, and remarks on the file."""

    path: Path
    servers: Mapping[str, object]
    remarks: tuple[str, ...] = ()

    @property
    def is_json(self) -> bool:
        """Tell whether the file is JSON, whose times are in milliseconds."""
        return self.path.suffix.lower() in JSON_SUFFIXES


def default_file(variables: Mapping[str, str]) -> Path:
    """Return Codex's own file, in CODEX_HOME or in ~/.codex."""
    home = variables.get("CODEX_HOME") or str(Path.home() / ".codex")
    return Path(home) / "config.toml"


def read_tables(path: Path) -> ServerTables:
    """Read the servers of a file; raises `NotConfigured` with what is wrong, and where."""
    try:
        text = decode_text(path.read_bytes())
    except OSError as unreadable:
        raise NotConfigured(
            f"{path} cannot be read: {unreadable.strerror}",
            hint="name a config.toml of Codex or a .mcp.json with --config",
        ) from None
    except UnicodeDecodeError as odd:
        raise NotConfigured(f"{path} is not UTF-8 text: {odd.reason}") from None
    is_json = path.suffix.lower() in JSON_SUFFIXES
    return _parse_json(path, text) if is_json else _parse_toml(path, text)


def decode_text(content: bytes) -> str:
    """Decode UTF-8, or UTF-16 where a byte order mark says so."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    return content.decode("utf-8")


def _parse_toml(path: Path, text: str) -> ServerTables:
    try:
        read: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise NotConfigured(f"{path} is not TOML: {broken}") from None
    new, old = _read_table(path, read, TABLE), _read_table(path, read, OLD_TABLE)
    remarks = (
        f"{path}: [{OLD_TABLE}.{name}] is the old way to write [{TABLE}.{name}], and Codex does "
        f"not read it{'; it is not used, as both are there' if name in new else ''}"
        for name in old
    )
    return ServerTables(path, {**old, **new}, tuple(remarks))


def _parse_json(path: Path, text: str) -> ServerTables:
    plain = TRAILING_COMMA.sub(_keep_string, COMMENT.sub(_keep_string, text))
    try:
        read = json.loads((plain.strip() and plain) or "{}", object_pairs_hook=_reject_duplicates)
    except _DuplicateKey as name:
        raise NotConfigured(
            f"{path}: {name} stands there twice in one object", hint="rename or remove one of them"
        ) from None
    except json.JSONDecodeError as broken:
        where = f"line {broken.lineno}, column {broken.colno}"
        raise NotConfigured(f"{path} is not JSON: {broken.msg} (at {where})") from None
    if not isinstance(read, dict):
        raise NotConfigured(f"{path} holds no object", hint=f'such as {{"{JSON_TABLE}": {{}}}}')
    return ServerTables(path, _find_json_servers(path, read))


def _keep_string(found: re.Match[str]) -> str:
    """Return a string as it is, and spaces for anything else, so that places stay."""
    return found[1] or re.sub(r"[^\n]", " ", found[0])


def _find_json_servers(path: Path, read: dict[str, object]) -> dict[str, object]:
    nested = read.get(NESTED_TABLE)
    if isinstance(nested, dict) and not SERVER_KEYS & set(nested):
        read = {**read, **nested}
    servers: dict[str, object] = {}
    for name in reversed(JSON_TABLES):
        servers = {**servers, **_read_table(path, read, name)}
    if not any(name in read for name in JSON_TABLES):
        servers = {name: table for name, table in read.items() if _is_server(table)}
    return servers


def _is_server(table: object) -> bool:
    return isinstance(table, dict) and bool(SERVER_KEYS & set(table))


class _DuplicateKey(Exception):
    """An object has a name twice, of which json would silently take the last."""


def _reject_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read: dict[str, object] = {}
    for name, value in pairs:
        if name in read:
            raise _DuplicateKey(repr(name))
        read[name] = value
    return read


def _read_table(path: Path, read: Mapping[str, object], name: str) -> dict[str, object]:
    table = read.get(name, {})
    if not isinstance(table, dict):
        raise NotConfigured(f"{path}: {name} is not a table of servers", hint=FILE_HINT)
    return {str(key): value for key, value in table.items()}
