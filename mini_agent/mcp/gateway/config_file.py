"""Reads files that name MCP servers: Codex's config.toml, or .mcp.json.

Holds the keys of one server, `${VAR}` references, which Codex does not have, and the environment
variables that a child process gets.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from mini_agent.errors import NotConfigured

# Beside HOME, LOGNAME, PATH, SHELL, TERM and USER, which every child gets; the same as in Codex.
ALLOWED_VARIABLES: Final = (
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
VARIABLE_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
MIN_SECRET_CHARS: Final = 6
REPLACEMENT: Final = "***"
STARTUP_TIMEOUT_S: Final = 30.0
TOOL_TIMEOUT_S: Final = 60.0
MAX_TIMEOUT_S: Final = 86_400.0
# Keys of Codex that have no meaning for a gateway.
IGNORED_KEYS: Final = frozenset(
    {
        "auth",
        "default_tools_approval_mode",
        "description",
        "environment_id",
        "experimental_environment",
        "name",
        "oauth",
        "oauth_client_id",
        "oauth_resource",
        "scopes",
        "supports_parallel_tool_calls",
        "tools",
    }
)
COMMAND_KEYS: Final = ("args", "cwd", "env", "env_vars")
ADDRESS_KEYS: Final = ("bearer_token_env_var", "http_headers", "env_http_headers")
UNSUPPORTED_KEYS: Final = {
    "bearer_token": "is not supported: put the token into a variable, and its name into "
    "bearer_token_env_var",
    "http_headers_helper": "is not supported",
    "headersHelper": "is not supported",
}
Seconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)]
KEY_ALIASES: Final = {"headers": "http_headers"}
MILLISECOND_KEYS: Final = {
    "startup_timeout_ms": "startup_timeout_sec",
    "timeout": "tool_timeout_sec",
}
TABLE: Final = "mcp_servers"
OLD_TABLE: Final = "servers"
JSON_TABLE: Final = "mcpServers"
FILE_HINT: Final = "such as [mcp_servers.NAME] with a command or a url"


def child_environment(
    parent: Mapping[str, str], forwarded: Iterable[str], own: Mapping[str, str]
) -> dict[str, str]:
    """Return the allowed variables, those `forwarded` that are set, and the server's `own`."""
    names = (*ALLOWED_VARIABLES, *forwarded)
    return {name: parent[name] for name in names if name in parent} | dict(own)


class VariableNotSet(Exception):
    """A required variable is not set; the message names it, never a value."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this process; `secrets` are the values that servers get."""

    variables: Mapping[str, str] = field(repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)

    def value(self, name: str, where: str) -> str:
        """Return a variable's value; raises `VariableNotSet` where it is missing or empty."""
        value = self.variables.get(name, "")
        if not value:
            raise VariableNotSet(f"{where}: the variable {name} is not set")
        self.secrets.add(value)
        return value

    def expand(self, text: str, where: str) -> str:
        """Replace the references in `text`; raises `VariableNotSet` for one without a value.

        A bare `$VAR` is kept for a shell to expand.
        """

        def replace_reference(match: re.Match[str]) -> str:
            name, default = match.groups()
            if default is not None and not self.variables.get(name):
                return str(default)
            return self.value(name, where)

        return VARIABLE_REFERENCE.sub(replace_reference, text)

    def redact(self, text: str) -> str:
        """Return `text` with the secrets replaced."""
        for value in sorted(self.secrets, key=len, reverse=True):
            if len(value) >= MIN_SECRET_CHARS:
                text = text.replace(value, REPLACEMENT)
        return text


class ForwardedVariable(BaseModel):
    """A variable that a child process gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The name of the variable.")
    source: Literal["local"] = Field(
        default="local", description="Where the variable is from; only this machine can be named."
    )


class ServerEntry(BaseModel):
    """The table of a server, which has either `command` or `url`."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    command: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, description="The program of a server that is a child process."
    )
    args: list[str] = Field(default=[], description="Arguments of the program.")
    cwd: str | None = Field(
        default=None, description="The folder it starts in; null for the gateway's own."
    )
    env: dict[str, str] = Field(default={}, description="Environment variables that it gets.")
    env_vars: list[str | ForwardedVariable] = Field(
        default=[], description="Names of variables of this machine that it gets as well."
    )
    url: str | None = Field(
        default=None, description="The address of a server that is reached by HTTP."
    )
    bearer_token_env_var: str | None = Field(
        default=None, description="The variable that holds the bearer token for the address."
    )
    http_headers: dict[str, str] = Field(
        default={}, description="Headers that are sent to the address."
    )
    env_http_headers: dict[str, str] = Field(
        default={}, description="Headers by name, each with the variable that holds its value."
    )
    startup_timeout_sec: Seconds = Field(
        default=STARTUP_TIMEOUT_S,
        description="Seconds the server may take to start, at most 86400.",
    )
    tool_timeout_sec: Seconds = Field(
        default=TOOL_TIMEOUT_S, description="Seconds a call of a tool may take, at most 86400."
    )
    enabled: bool = Field(default=True, description="Whether the server is used.")
    required: bool = Field(default=False, description="Whether nothing works without it.")
    enabled_tools: list[str] | None = Field(
        default=None, description="The only tools that are offered; null for all."
    )
    disabled_tools: list[str] = Field(default=[], description="Tools that are not offered.")
    type: Literal["stdio", "http", "streamable-http", "streamable_http"] | None = Field(
        default=None, description="The transport; null where command or url already say it."
    )

    @model_validator(mode="before")
    @classmethod
    def _normalize(cls, table: object) -> object:
        if not isinstance(table, dict):
            return table
        for key, why in UNSUPPORTED_KEYS.items():
            if key in table:
                raise ValueError(f"{key} {why}")
        if isinstance(table.get("env"), dict) and "env_vars" in table["env"]:
            raise ValueError("env_vars stands in env; it belongs beside it")
        return _convert_milliseconds(
            {KEY_ALIASES.get(str(key), str(key)): value for key, value in table.items()}
        )

    @model_validator(mode="after")
    def _has_one_transport(self) -> ServerEntry:
        if self.command is None and self.url is None:
            raise ValueError("there is neither command nor url")
        kind, others = ("stdio", ADDRESS_KEYS) if self.url is None else ("http", COMMAND_KEYS)
        if self.command is not None and self.url is not None:
            raise ValueError("there is both command and url; a server has one of them")
        for key in others:
            if key in self.model_fields_set:
                raise ValueError(f"{key} is not supported for {kind}")
        return self

    @property
    def forwarded(self) -> list[str]:
        """The names in `env_vars`."""
        return [each if isinstance(each, str) else each.name for each in self.env_vars]


def unknown_keys(table: dict[str, object]) -> list[str]:
    """Return the keys that have no meaning here, perhaps because they are misspelt."""
    known = {*ServerEntry.model_fields, *IGNORED_KEYS, *KEY_ALIASES, *MILLISECOND_KEYS, "disabled"}
    return sorted(key for key in table if key not in known)


def _convert_milliseconds(table: dict[str, object]) -> dict[str, object]:
    for key, seconds in MILLISECOND_KEYS.items():
        value = table.get(key)
        if isinstance(value, int | float) and seconds not in table:
            table[seconds] = value / 1000
    if isinstance(table.get("disabled"), bool):
        table.setdefault("enabled", not table["disabled"])
    return table


@dataclass(frozen=True, slots=True)
class ServerTables:
    """The tables of one file by server name, not yet validated, and remarks on the file."""

    path: Path
    servers: Mapping[str, object]
    remarks: tuple[str, ...] = ()


def default_file(variables: Mapping[str, str]) -> Path:
    """Return Codex's own file, in CODEX_HOME or in ~/.codex."""
    home = variables.get("CODEX_HOME") or str(Path.home() / ".codex")
    return Path(home) / "config.toml"


def read_tables(path: Path) -> ServerTables:
    """Read the servers of a file; raises `NotConfigured` with what is wrong, and where."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as unreadable:
        raise NotConfigured(
            f"{path} cannot be read: {unreadable.strerror}",
            hint="name a config.toml of Codex or a .mcp.json with --config",
        ) from None
    except UnicodeDecodeError as odd:
        raise NotConfigured(f"{path} is not UTF-8 text: {odd.reason}") from None
    return _parse_json(path, text) if path.suffix == ".json" else _parse_toml(path, text)


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
    try:
        read = json.loads(text or "{}", object_pairs_hook=_reject_duplicates)
    except _DuplicateKey as name:
        raise NotConfigured(
            f"{path}: {name} stands there twice in one object", hint="rename or remove one of them"
        ) from None
    except json.JSONDecodeError as broken:
        where = f"line {broken.lineno}, column {broken.colno}"
        raise NotConfigured(f"{path} is not JSON: {broken.msg} (at {where})") from None
    if not isinstance(read, dict):
        raise NotConfigured(f"{path} holds no object", hint=f'such as {{"{JSON_TABLE}": {{}}}}')
    return ServerTables(path, _read_table(path, read, JSON_TABLE))


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
