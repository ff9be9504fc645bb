"""The configuration of a gateway: the servers of its files, with what keeps any from being used."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from pydantic import ValidationError

from mini_agent.errors import BadRequest
from mini_agent.mcp.client.server import McpAddress, McpCommand, McpTarget
from mini_agent.mcp.gateway.config_file import (
    STARTUP_TIMEOUT_S,
    TOOL_TIMEOUT_S,
    ServerEntry,
    child_environment,
    prepare_table,
    unknown_keys,
)
from mini_agent.mcp.gateway.expansion import Environment, VariableNotSet, workspace_of
from mini_agent.mcp.gateway.tables import ServerTables, read_tables

MAX_PREFIX_CHARS: Final = 32
MAX_HINT_CHARS: Final = 800
# Includes _, because two of them end the prefix of a long name.
INVALID_CHARS: Final = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """A server: how it is reached, or the problem that keeps it from being used.

    `prefix` precedes the names of its tools: its `name`, in characters that every model accepts.
    """

    name: str
    prefix: str
    server: McpTarget | None = field(default=None, repr=False)
    problem: str = ""
    is_enabled: bool = True
    is_required: bool = False
    startup_s: float = STARTUP_TIMEOUT_S
    tool_s: float = TOOL_TIMEOUT_S
    enabled_tools: tuple[str, ...] | None = None
    disabled_tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """All servers, remarks on the files, and the environment with its secrets."""

    servers: tuple[ConfiguredServer, ...]
    remarks: tuple[str, ...]
    environment: Environment

    def select(self, names: Collection[str] | None) -> Configuration:
        """Return the configuration with these servers alone; None: with all.

        Raises `BadRequest`, which lists the known servers, for an unknown name.
        """
        if names is None:
            return self
        known = [server.name for server in self.servers]
        for name in names:
            if name not in known:
                raise BadRequest(
                    f"there is no MCP server {name!r:.80}",
                    field="tool_mcp_servers",
                    hint=f"there are: {', '.join(known)[:MAX_HINT_CHARS] or 'none'}",
                )
        return replace(self, servers=tuple(each for each in self.servers if each.name in names))


def load_configuration(paths: Iterable[Path], variables: Mapping[str, str]) -> Configuration:
    """Load the files; of two servers with the same name the first is used."""
    environment = Environment(variables)
    tables: dict[str, tuple[ServerTables, object]] = {}
    remarks: list[str] = []
    for path in paths:
        read = read_tables(path)
        remarks += read.remarks
        for name, table in read.servers.items():
            if name in tables:
                remarks.append(f"{path}: {name!r} is there already, from {tables[name][0].path}")
            tables.setdefault(name, (read, table))
    servers: list[ConfiguredServer] = []
    for name, (read, table) in tables.items():
        prefix = _unique_prefix(name, {server.prefix for server in servers})
        inside = replace(environment, folder=workspace_of(read.path))
        if not isinstance(table, dict):
            servers.append(_configure(name, prefix, table, inside))
            continue
        entry = prepare_table(table, is_json=read.is_json)
        servers.append(_configure(name, prefix, entry, inside))
        remarks += [f"{read.path}: {name}.{key} is unknown" for key in unknown_keys(table)]
    return Configuration(tuple(servers), tuple(remarks), environment)


def _configure(name: str, prefix: str, table: object, environment: Environment) -> ConfiguredServer:
    try:
        entry = ServerEntry.model_validate(table)
    except ValidationError as wrong:
        return ConfiguredServer(name, prefix, problem=_describe_error(name, wrong))
    usual = ConfiguredServer(
        name,
        prefix,
        is_enabled=entry.enabled,
        is_required=entry.required,
        startup_s=entry.startup_timeout_sec,
        tool_s=entry.tool_timeout_sec,
        enabled_tools=None if entry.enabled_tools is None else tuple(entry.enabled_tools),
        disabled_tools=tuple(entry.disabled_tools),
    )
    if not entry.enabled:
        return usual
    try:
        return replace(usual, server=_build_target(name, entry, environment))
    except VariableNotSet as unset:
        return replace(usual, problem=str(unset))
    except BadRequest as wrong:
        return replace(usual, problem=f"{name}: {wrong.message}")


def _build_target(name: str, entry: ServerEntry, environment: Environment) -> McpTarget:
    if entry.url is not None:
        return McpAddress(
            environment.expand(entry.url, f"{name}.url"),
            _build_headers(name, entry, environment),
            "sse" if entry.type == "sse" else "auto",
        )
    own = _read_env_file(name, entry, environment) | _expand_values(
        f"{name}.env", entry.env, environment
    )
    cwd = None if entry.cwd is None else environment.expand(entry.cwd, f"{name}.cwd")
    child = child_environment(environment.variables, entry.forwarded, own)
    environment.secrets.update(child[key] for key in (*entry.forwarded, *own) if key in child)
    return McpCommand(
        environment.expand(entry.command or "", f"{name}.command"),
        [
            environment.expand(text, f"{name}.args[{place}]")
            for place, text in enumerate(entry.args)
        ],
        child,
        cwd,
    )


def _read_env_file(name: str, entry: ServerEntry, environment: Environment) -> dict[str, str]:
    if entry.env_file is None:
        return {}
    named = Path(environment.expand(entry.env_file, f"{name}.envFile")).expanduser()
    path = (environment.folder or Path.cwd()) / named
    try:
        values = dotenv_values(stream=StringIO(path.read_text("utf-8-sig")), interpolate=False)
    except (OSError, UnicodeDecodeError) as why:
        what = why.strerror if isinstance(why, OSError) else "it is not UTF-8 text"
        raise VariableNotSet(f"{name}.envFile: {path} cannot be read: {what}") from None
    return {key: value for key, value in values.items() if value is not None}


def _build_headers(name: str, entry: ServerEntry, environment: Environment) -> dict[str, str]:
    headers = _expand_values(f"{name}.http_headers", entry.http_headers, environment)
    environment.secrets.update(headers.values())
    for header, variable in entry.env_http_headers.items():
        headers[header] = environment.value(variable, f"{name}.env_http_headers.{header}")
    if entry.bearer_token_env_var is not None:
        where = f"{name}.bearer_token_env_var"
        headers["Authorization"] = f"Bearer {environment.value(entry.bearer_token_env_var, where)}"
    return headers


def _expand_values(
    where: str, values: Mapping[str, str], environment: Environment
) -> dict[str, str]:
    return {key: environment.expand(value, f"{where}.{key}") for key, value in values.items()}


def _unique_prefix(name: str, taken: set[str]) -> str:
    plain = INVALID_CHARS.sub("_", name).strip("_")[:MAX_PREFIX_CHARS].rstrip("_") or "server"
    prefix, count = plain, 2
    while prefix in taken:
        prefix = f"{plain[: MAX_PREFIX_CHARS - 3].rstrip('_')}_{count}"
        count += 1
    return prefix


# The value in the file may be a secret; the message is not.
def _describe_error(name: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    field_ = ".".join([name, *(str(step) for step in first["loc"])])
    return f"{field_}: {first['msg'].removeprefix('Value error, ')}"
