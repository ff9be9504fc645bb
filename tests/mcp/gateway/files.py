"""Configuration files for tests, and what the loader makes of them."""

from __future__ import annotations

from pathlib import Path

from mini_agent.mcp.client.server import McpAddress, McpCommand
from mini_agent.mcp.gateway.configuration import Configuration, ConfiguredServer, load_configuration


def read(folder: Path, text: str, name: str = "config.toml", **variables: str) -> Configuration:
    """What a file says, with these variables in the environment."""
    path = folder / name
    path.write_text(text)
    return load_configuration([path], variables)


def one(configuration: Configuration) -> ConfiguredServer:
    (only,) = configuration.servers
    return only


def read_command(server: ConfiguredServer) -> McpCommand:
    assert isinstance(server.server, McpCommand), server.problem
    return server.server


def read_address(server: ConfiguredServer) -> McpAddress:
    assert isinstance(server.server, McpAddress), server.problem
    return server.server
