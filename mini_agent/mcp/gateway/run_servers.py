"""The MCP servers of runs: those of the operator's files, which no request can change."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mini_agent.errors import NotConfigured
from mini_agent.mcp.gateway.configuration import Configuration, load_configuration
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker

if TYPE_CHECKING:
    from mini_agent.mcp.gateway.catalog import Gateway
    from mini_agent.mcp.gateway.invoker import GatewayInvoker


def load_run_configuration(settings: Settings) -> Configuration:
    """Load the files of MINI_AGENT_MCP_CONFIG; raises `NotConfigured` where it names none.

    Unlike the gateway's command it has no default file: a request of another user would start
    the servers of that file.
    """
    files = run_configuration_files(settings)
    if not files:
        raise NotConfigured(
            "tool_backend 'mcp' needs a file that names MCP servers",
            field="tool_backend",
            hint="set MINI_AGENT_MCP_CONFIG to a config.toml of Codex or a .mcp.json; a request "
            "cannot name one",
        )
    return load_configuration(files, os.environ)


def run_configuration_files(settings: Settings) -> list[Path]:
    """Return the files that MINI_AGENT_MCP_CONFIG names."""
    named = [file.strip() for file in settings.mcp_config.split(os.pathsep)]
    return [Path(file).expanduser() for file in named if file]


@asynccontextmanager
async def open_run_tools(configuration: Configuration) -> AsyncIterator[Invoker]:
    """Start the servers for one run, and stop them with it.

    Raises `NotConfigured` for a required server that does not start.
    """
    make_gateway, make_invoker = await asyncio.to_thread(_import_gateway)
    async with make_gateway(configuration) as gateway:
        await gateway.require_required()
        yield make_invoker(gateway)


# The SDK takes a second to import.
def _import_gateway() -> tuple[type[Gateway], type[GatewayInvoker]]:
    from mini_agent.mcp.gateway.catalog import Gateway
    from mini_agent.mcp.gateway.invoker import GatewayInvoker

    return Gateway, GatewayInvoker
