"""Checks of the coding assistant and of the configured MCP servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from mini_agent.cli.doctor.check import (
    Check,
    CheckFunction,
    DoctorContext,
    fail,
    ok,
    skipped,
    warn,
)
from mini_agent.coding.doctor_checks import run_checks
from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.mcp_servers import (
    McpServer,
    close_servers,
    list_servers,
    read_server_files,
    start_servers,
)
from mini_agent.errors import MiniAgentError
from mini_agent.mcp.gateway.run_servers import run_configuration_files

# The assistant does without.
OPTIONAL_TOOLS: Final = ("git",)


def build_assistant_check(launch: Callable[[], LaunchConfig]) -> CheckFunction:
    """Build the check of the assistant's own requirements."""

    async def check(_context: DoctorContext) -> Sequence[Check]:
        try:
            detail = run_checks(launch())
        except MiniAgentError as wrong:
            return [warn("assistant", wrong.message, wrong.hint)]
        return [
            ok(each.name, each.detail)
            if each.is_ok
            else (warn if each.name in OPTIONAL_TOOLS else fail)(each.name, each.detail, each.fix)
            for each in detail
            if each.name != "python" and not each.name.startswith("MCP ")
        ]

    return check


def build_mcp_check(launch: Callable[[], LaunchConfig]) -> CheckFunction:
    """Build the check that starts each MCP server of the assistant and of MINI_AGENT_MCP_CONFIG."""

    async def check(context: DoctorContext) -> Sequence[Check]:
        try:
            servers = [*_list_run_servers(context), *_list_assistant_servers(launch)]
        except MiniAgentError as wrong:
            return [fail("MCP servers", wrong.message, wrong.hint)]
        if not servers:
            return [skipped("MCP servers", "none is configured")]
        try:
            tried = await start_servers(servers)
            return [_check_server(server) for server in tried]
        finally:
            await asyncio.shield(close_servers(servers))

    return check


def _list_run_servers(context: DoctorContext) -> list[McpServer]:
    return read_server_files(run_configuration_files(context.settings), context.variables)


def _list_assistant_servers(launch: Callable[[], LaunchConfig]) -> list[McpServer]:
    try:
        detail = launch()
    except MiniAgentError:  # told by the assistant's own check
        return []
    return list_servers(detail)


def _check_server(server: McpServer) -> Check:
    name = f"MCP {server.name}"
    if not server.problem:
        return ok(name, "starts, and lists its tools")
    if server.connection is None:
        return warn(name, server.problem, "change its entry, or set what it needs")
    return fail(name, server.problem, "start it by hand to see what it says; or take its entry out")
