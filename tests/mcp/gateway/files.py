"""Configuration files for tests, and what the loader makes of them."""

from __future__ import annotations

from pathlib import Path

from mini_agent.mcp.client.server import McpAddress, McpCommand
from mini_agent.mcp.gateway.configuration import Configuration, Configured, configuration_of


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
