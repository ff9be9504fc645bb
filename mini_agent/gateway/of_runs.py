"""The MCP servers of runs: those of the operator's files, which no request can name or change."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mini_agent.errors import NotConfigured
from mini_agent.gateway.configured import Configuration, configuration_of
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker

if TYPE_CHECKING:
    from mini_agent.gateway.gateway import Gateway


def configuration_for_runs(settings: Settings) -> Configuration:
    """What the files of MINI_AGENT_MCP_CONFIG say; `NotConfigured` where it names none.

    Unlike the gateway's command, it takes no file unasked: somebody else's request would start
    what is in there.
    """
    files = files_for_runs(settings)
    if not files:
        raise NotConfigured(
            "tool_backend 'mcp' needs a file that names MCP servers",
            field="tool_backend",
            hint="set MINI_AGENT_MCP_CONFIG to a config.toml of Codex or a .mcp.json; a request "
            "cannot name one",
        )
    return configuration_of(files, os.environ)


def files_for_runs(settings: Settings) -> list[Path]:
    """The files that MINI_AGENT_MCP_CONFIG names."""
    named = [file.strip() for file in settings.mcp_config.split(os.pathsep)]
    return [Path(file).expanduser() for file in named if file]


@asynccontextmanager
async def servers_of_run(configuration: Configuration) -> AsyncIterator[Invoker]:
    """The tools of servers that are started for one run, and end with it.

    Raises `NotConfigured` for one that is required and does not start.
    """
    # With the MCP SDK, which takes a second to import.
    gateways = await asyncio.to_thread(importlib.import_module, "mini_agent.gateway.gateway")
    invokers = await asyncio.to_thread(importlib.import_module, "mini_agent.gateway.invoker")
    gateway: Gateway = gateways.Gateway(configuration)
    async with gateway:
        await gateway.require_required()
        invoker: Invoker = invokers.GatewayInvoker(gateway)
        yield invoker
