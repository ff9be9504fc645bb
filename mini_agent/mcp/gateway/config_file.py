"""The keys of one server in the files of Codex, Claude Code, VS Code, Cursor and others.

Also the environment variables that a child process gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

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
STARTUP_TIMEOUT_S: Final = 30.0
TOOL_TIMEOUT_S: Final = 60.0
MAX_TIMEOUT_S: Final = 86_400.0
# Keys of other clients that have no meaning for a gateway.
IGNORED_KEYS: Final = frozenset(
    {
        "$schema",
        "alwaysAllow",
        "autoApprove",
        "dev",
        "gallery",
        "sandbox",
        "sandboxEnabled",
        "trust",
        "version",
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
COMMAND_KEYS: Final = ("args", "cwd", "env", "env_vars", "env_file")
ADDRESS_KEYS: Final = ("bearer_token_env_var", "http_headers", "env_http_headers")
OF_ONE_TRANSPORT: Final = frozenset({*COMMAND_KEYS, *ADDRESS_KEYS})
UNSUPPORTED_KEYS: Final = {
    "bearer_token": "is not supported: put the token into a variable, and its name into "
    "bearer_token_env_var",
    "http_headers_helper": "is not supported",
    "headersHelper": "is not supported",
}
Seconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)]
KEY_ALIASES: Final = {
    "headers": "http_headers",
    "httpUrl": "url",
    "serverUrl": "url",
    "envFile": "env_file",
    "includeTools": "enabled_tools",
    "enabledTools": "enabled_tools",
    "excludeTools": "disabled_tools",
    "disabledTools": "disabled_tools",
    "transport": "type",
}
# How clients write the transports, without case, - and _.
TRANSPORTS: Final = {
    "stdio": "stdio",
    "local": "stdio",
    "http": "http",
    "streamablehttp": "http",
    "streamable": "http",
    "remote": "http",
    "sse": "sse",
}
SEPARATOR: Final = re.compile(r"[-_ ]")
STARTUP_MS: Final = "startup_timeout_ms"
TIMEOUT: Final = "timeout"
SECONDS_KEYS: Final = {STARTUP_MS: "startup_timeout_sec", TIMEOUT: "tool_timeout_sec"}
# Claude Code's are milliseconds; so few of them are meant as the seconds of other clients.
MIN_MILLISECONDS: Final = 1000


def child_environment(
    parent: Mapping[str, str], forwarded: Iterable[str], own: Mapping[str, str]
) -> dict[str, str]:
    """Return the allowed variables, those `forwarded` that are set, and the server's `own`."""
    names = (*ALLOWED_VARIABLES, *forwarded)
    return {name: parent[name] for name in names if name in parent} | dict(own)


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
    env_file: str | None = Field(
        default=None, description="A file of lines NAME=value with more of them."
    )
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
    type: Literal["stdio", "http", "sse"] | None = Field(
        default=None, description="The transport; null where command or url already say it."
    )

    @model_validator(mode="before")
    @classmethod
    def _reject_unsupported(cls, table: object) -> object:
        if not isinstance(table, dict):
            return table
        for key, why in UNSUPPORTED_KEYS.items():
            if key in table:
                raise ValueError(f"{key} {why}")
        if isinstance(table.get("env"), dict) and "env_vars" in table["env"]:
            raise ValueError("env_vars stands in env; it belongs beside it")
        return table

    @model_validator(mode="after")
    def _has_one_transport(self) -> ServerEntry:
        if self.command is None and self.url is None:
            raise ValueError("there is neither command nor url")
        kind, others = ("stdio", ADDRESS_KEYS) if self.url is None else ("http", COMMAND_KEYS)
        if self.command is not None and self.url is not None:
            raise ValueError("there is both command and url; a server has one of them")
        if self.type is not None and (self.type == "stdio") != (self.url is None):
            raise ValueError(f"its type is {self.type}, and there is only the {self._given}")
        for key in others:
            if key in self.model_fields_set:
                raise ValueError(f"{key} is not supported for {kind}")
        return self

    @property
    def _given(self) -> str:
        return "command" if self.url is None else "url"

    @property
    def forwarded(self) -> list[str]:
        """The names in `env_vars`."""
        return [each if isinstance(each, str) else each.name for each in self.env_vars]


def prepare_table(table: Mapping[str, object], *, is_json: bool) -> dict[str, object]:
    """Return a table with our names of keys, and seconds; JSON's nulls are left out."""
    read = {KEY_ALIASES.get(key, key): value for key, value in table.items() if value is not None}
    read = {key: value for key, value in read.items() if value or key not in OF_ONE_TRANSPORT}
    _convert_times(read, is_json=is_json)
    if isinstance(read.get("disabled"), bool):
        read.setdefault("enabled", not read["disabled"])
    kind = read.get("type")
    if isinstance(kind, str):
        read["type"] = TRANSPORTS.get(SEPARATOR.sub("", kind.lower()), kind)
    env = read.get("env")
    if is_json and isinstance(env, dict):
        read["env"] = {key: _as_text(value) for key, value in env.items() if value is not None}
    return read


def unknown_keys(table: Mapping[str, object]) -> list[str]:
    """Return the keys that have no meaning here, perhaps because they are misspelt."""
    known = {*ServerEntry.model_fields, *IGNORED_KEYS, *KEY_ALIASES, *SECONDS_KEYS, "disabled"}
    return sorted(key for key in table if key not in known)


def _convert_times(table: dict[str, object], *, is_json: bool) -> None:
    for key, seconds in SECONDS_KEYS.items():
        value = table.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and seconds not in table:
            is_short = key == TIMEOUT and (not is_json or 0 < value < MIN_MILLISECONDS)
            table[seconds] = value if is_short else value / 1000


def _as_text(value: object) -> object:
    """Return a number or a boolean as the text that an environment variable has."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
