"""The MCP servers of a session: those of --mcp, and those that files name."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.coding.launch import PROJECT_SERVERS, Ground
from mini_agent.coding.options import BUILTIN
from mini_agent.errors import BadRequest, MiniAgentError
from mini_agent.mcp.client.invoker import McpInvoker
from mini_agent.mcp.client.server import McpCommand
from mini_agent.mcp.gateway.configuration import Configured, configuration_of
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.wrappers import NamespacedInvoker

LONGEST_PREFIX: Final = 27


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server: how it is called, its tools as the model sees them, and what is wrong with it.

    One that the user names with --mcp may bring behaviour: agents of its own, and plans."""

    name: str
    connection: McpInvoker | None
    tools: Invoker | None
    problem: str = ""
    may_behave: bool = False


def servers_of(ground: Ground) -> list[McpServer]:
    """Those that are named and may be started; a project's own only where it is trusted."""
    files = [Path(named).expanduser() for named in ground.options.mcp_config]
    own = ground.places.project / PROJECT_SERVERS
    if ground.is_trusted and own.is_file() and own not in files:
        files.append(own)
    named = servers_of_commands(ground.options.mcp, ground.places.project)
    return [*named, *(servers_of_files(files, ground.variables) if files else [])]


def servers_of_commands(commands: Iterable[str], cwd: Path) -> list[McpServer]:
    """The servers of --mcp; a command may have arguments."""
    servers: list[McpServer] = []
    for command in commands:
        if command == BUILTIN:
            continue
        try:
            words = shlex.split(command)
        except ValueError as odd:
            raise BadRequest(f"--mcp {command!r:.80} cannot be read: {odd}") from None
        if not words:
            raise BadRequest("--mcp names no command", hint="such as --mcp 'npx -y SERVER DIR'")
        invoker = McpInvoker(McpCommand(words[0], words[1:], {}, str(cwd)))
        servers.append(McpServer(Path(words[0]).name, invoker, invoker, may_behave=True))
    return servers


def servers_of_files(paths: Sequence[Path], variables: Mapping[str, str]) -> list[McpServer]:
    """The servers of .mcp.json files; their tools are called `mcp__SERVER__TOOL`."""
    return [_server(configured) for configured in configuration_of(paths, variables).servers]


async def looked_at(servers: Sequence[McpServer]) -> list[McpServer]:
    """`servers`, started; one that does not start is told of and has no tools."""
    async with asyncio.TaskGroup() as starting:
        tried = [starting.create_task(_tried(server)) for server in servers]
    return [each.result() for each in tried]


async def closed(servers: Sequence[McpServer]) -> None:
    """Ends them."""
    for server in servers:
        if server.connection is not None:
            await server.connection.aclose()


def _server(configured: Configured) -> McpServer:
    if configured.server is None:
        problem = configured.problem or "it is disabled"
        return McpServer(configured.name, None, None, problem)
    invoker = McpInvoker(
        configured.server,
        startup_timeout=configured.startup_s,
        tool_timeout=configured.tool_s,
    )
    prefix = f"mcp__{configured.prefix[:LONGEST_PREFIX]}"
    return McpServer(configured.name, invoker, NamespacedInvoker(prefix, invoker))


async def _tried(server: McpServer) -> McpServer:
    if server.tools is None:
        return server
    try:
        await server.tools.list_openai_tools()
    except MiniAgentError as why:
        return McpServer(server.name, server.connection, None, str(why))
    return server
