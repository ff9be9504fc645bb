"""Builds the tools of a session: our own, those of MCP servers, and the middleware around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mini_agent.coding.mcp_servers import McpServer
from mini_agent.coding.prompts.server import McpPromptServer
from mini_agent.coding.side_model import SideModel
from mini_agent.coding.subagents.callback import CallbackInvoker
from mini_agent.coding.subagents.definition import SubagentType
from mini_agent.coding.subagents.run import ParentSession, SubagentRunner
from mini_agent.coding.tool_middleware import MiddlewareContext, ToolMiddleware
from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.coding.tools.context import KnownFiles, ToolContext
from mini_agent.coding.tools.protocols import UserPrompter
from mini_agent.coding.tools.todo_list import TodoList
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.wrappers import CombinedInvoker

# Deeper nesting of subagents costs more than it brings.
MAX_AGENT_DEPTH: Final = 2


@dataclass(frozen=True, slots=True)
class Toolset:
    """Builds the tools for each depth of subagents."""

    context: ToolContext | None
    servers: Sequence[McpServer]
    middleware: MiddlewareContext
    parent: ParentSession
    subagent_types: Mapping[str, SubagentType]
    side_model: SideModel
    prompter: UserPrompter | None

    def create(self, depth: int = 0) -> Invoker:
        """Return the tools of the session, or of a subagent `depth` levels below it."""
        subagents = (
            SubagentRunner(self.parent, self.subagent_types, self.create, depth)
            if depth < MAX_AGENT_DEPTH
            else None
        )
        invokers = [*self._server_tools(subagents)]
        if self.context is not None:
            invokers.insert(0, coding_tools(_agent_context(self.context, depth, subagents)))
        return ToolMiddleware(CombinedInvoker(*invokers), self.middleware)

    def _server_tools(self, subagents: SubagentRunner | None) -> Iterator[Invoker]:
        for server in self.servers:
            if server.tools is None:
                continue
            if server.provides_prompts and server.connection is not None:
                prompts = McpPromptServer(server.connection)
                yield CallbackInvoker(
                    server.tools, prompts, subagents, self.side_model, self.prompter
                )
            else:
                yield server.tools


def _agent_context(main: ToolContext, depth: int, subagents: SubagentRunner | None) -> ToolContext:
    if not depth:
        return replace(main, subagents=subagents)
    return replace(main, subagents=subagents, files=KnownFiles(), todos=TodoList())
