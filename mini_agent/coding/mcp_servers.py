"""The MCP servers of a session: those of --mcp, --mcp-config and .mcp.json."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.options import BUILTIN
from mini_agent.coding.settings import MAX_BYTES
from mini_agent.coding.text_source import FileRefused, read_source
from mini_agent.coding.tools.text_file import is_file
from mini_agent.coding.trust import PROJECT_MCP_FILE
from mini_agent.errors import BadRequest, MiniAgentError, ToolsUnavailable
from mini_agent.mcp.client.invoker import McpInvoker
from mini_agent.mcp.client.server import McpCommand
from mini_agent.mcp.gateway.configuration import ConfiguredServer, load_configuration
from mini_agent.mcp.gateway.tables import read_tables
from mini_agent.tools.invoker import (
    Invoker,
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    WrapperInvoker,
    forward_call,
    get_tool_name,
)
from mini_agent.tools.wrappers import FilteredInvoker, PrefixedInvoker

MAX_PREFIX_CHARS: Final = 27
# The names that all model APIs accept.
USABLE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server with its tools as the model sees them; `problem` says why it has none, or not all.

    One that --mcp names may provide prompts, hooks, agents and plans.
    """

    name: str
    connection: McpInvoker | None
    tools: Invoker | None
    problem: str = ""
    provides_prompts: bool = False


def list_servers(launch: LaunchConfig) -> list[McpServer]:
    """List the servers to start; a project's own only where it is trusted."""
    files = [Path(servers).expanduser() for servers in launch.options.mcp_config]
    project_file = launch.paths.project / PROJECT_MCP_FILE
    broken = []
    if project_file not in files and is_file(project_file) and launch.is_still_trusted():
        problem = _find_problem(project_file)
        files += [] if problem else [project_file]
        broken = [McpServer(PROJECT_MCP_FILE, None, None, problem)] if problem else []
    servers = parse_commands(launch.options.mcp, launch.paths.project)
    return [*servers, *(read_server_files(files, launch.variables) if files else []), *broken]


def _find_problem(path: Path) -> str:
    """Return why a file of the project names no servers; empty where it does."""
    try:
        if read_source(path, None, MAX_BYTES).is_cut:
            return f"{path} has more than {MAX_BYTES >> 20} MB"
        read_tables(path)
    except (MiniAgentError, FileRefused, FileNotFoundError) as error:
        return str(error)
    return ""


def parse_commands(commands: Iterable[str], cwd: Path) -> list[McpServer]:
    """Parse the command lines of --mcp; raises `BadRequest`."""
    servers: list[McpServer] = []
    for command in commands:
        if command == BUILTIN:
            continue
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise BadRequest(f"--mcp {command!r:.80} cannot be read: {error}") from None
        if not words:
            raise BadRequest("--mcp names no command", hint="such as --mcp 'npx -y SERVER DIR'")
        invoker = McpInvoker(McpCommand(words[0], words[1:], {}, str(cwd)))
        servers.append(McpServer(Path(words[0]).name, invoker, invoker, provides_prompts=True))
    return servers


def read_server_files(paths: Sequence[Path], variables: Mapping[str, str]) -> list[McpServer]:
    """Read .mcp.json files; their tools are named `mcp__SERVER__TOOL`."""
    return [
        _build_server(configured) for configured in load_configuration(paths, variables).servers
    ]


async def start_servers(servers: Sequence[McpServer]) -> list[McpServer]:
    """Start the servers; one that fails has no tools and a problem."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_start_server(server)) for server in servers]
    return [each.result() for each in tasks]


async def close_servers(servers: Sequence[McpServer]) -> None:
    """Close the connections."""
    for server in servers:
        if server.connection is not None:
            await server.connection.aclose()


def _build_server(configured: ConfiguredServer) -> McpServer:
    if configured.server is None:
        problem = configured.problem or "it is disabled"
        return McpServer(configured.name, None, None, problem)
    invoker = McpInvoker(
        configured.server,
        startup_timeout=configured.startup_s,
        tool_timeout=configured.tool_s,
    )
    prefix = f"mcp__{configured.prefix[:MAX_PREFIX_CHARS]}"
    return McpServer(configured.name, invoker, PrefixedInvoker(prefix, invoker))


async def _start_server(server: McpServer) -> McpServer:
    """List what a server has; a wrong answer to any listing costs it its tools."""
    if server.tools is None:
        return server
    steady = SteadyInvoker(server.tools)
    try:
        tools = await steady.list_openai_tools()
        if server.connection is not None:
            await server.connection.list_templates()
    except MiniAgentError as error:
        return McpServer(server.name, server.connection, None, str(error))
    names = [get_tool_name(tool) for tool in tools]
    unusable = [name for name in names if not USABLE_NAME.fullmatch(name)]
    lines = [f"no model takes a tool named {name!r:.60}" for name in unusable[:1]]
    lines += [server.connection.remark()] if server.connection is not None else []
    return replace(
        server,
        tools=FilteredInvoker(steady, None, unusable),
        problem="; ".join(filter(None, lines)),
    )


class SteadyInvoker(WrapperInvoker):
    """The tools of `invoker` as they were last listed, where it fails to list them again."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker
        self._listed: list[Tool] = []

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools; the last list where that fails."""
        try:
            self._listed = await self._invoker.list_openai_tools()
        except MiniAgentError:
            if not self._listed:
                raise
        return self._listed

    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput:
        return await forward_call(self._invoker, openai_tool, listener)


def require_tools(launch: LaunchConfig, servers: Sequence[McpServer]) -> None:
    """Raise `ToolsUnavailable` where neither we nor a server of --mcp has any tool."""
    if not launch.uses_builtin and not any(each.connection and each.tools for each in servers):
        raise ToolsUnavailable(
            f"no server of --mcp has started: {'; '.join(list_problems(servers))}",
            hint="mend its command, or add --mcp builtin for our own tools",
        )


def list_problems(servers: Sequence[McpServer]) -> list[str]:
    """Return a line for every server with a problem."""
    return [f"{server.name}: {server.problem}" for server in servers if server.problem]
