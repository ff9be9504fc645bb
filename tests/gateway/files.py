"""Configuration files for tests, and what the loader makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mini_agent.gateway.configured import Configuration, Configured, configuration_of
from mini_agent.tools.mcp_server import McpAddress, McpCommand


def read(folder: Path, text: str, name: str = "config.toml", **variables: str) -> Configuration:
    """What a file says, with these variables in the environment."""
    path = folder / name
    path.write_text(text)
    return configuration_of([path], variables)


def one(configuration: Configuration) -> Configured:
    (only,) = configuration.servers
    return only


def command_of(server: Configured) -> McpCommand:
    assert isinstance(server.server, McpCommand), server.problem
    return server.server


def address_of(server: Configured) -> McpAddress:
    assert isinstance(server.server, McpAddress), server.problem
    return server.server


def in_codex_words(server: Configured, variables: Mapping[str, str]) -> dict[str, object]:
    """How it is reached and what is filtered, as `codex mcp get --json` says it."""
    said: dict[str, object] = {
        "name": server.name,
        "enabled": server.is_enabled,
        "enabled_tools": None if server.enabled_tools is None else list(server.enabled_tools),
        "disabled_tools": list(server.disabled_tools) or None,
        "tool_timeout_sec": server.tool_s,
        "startup_timeout_sec": server.startup_s,
    }
    match server.server:
        case McpCommand(command=command, args=args, env=env, cwd=cwd):
            own = {name: value for name, value in env.items() if variables.get(name) != value}
            return said | {"command": command, "args": list(args), "env": own, "cwd": cwd}
        case McpAddress(url=url, headers=headers):
            return said | {"url": url, "headers": dict(headers)}
        case None:
            return said
