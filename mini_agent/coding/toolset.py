"""All tools of a session at one depth: ours in a workplace, those of servers, and the gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mini_agent.coding.mcp_servers import McpServer
from mini_agent.coding.prompts.server import McpBehaviour
from mini_agent.coding.side_model import ModelDigest
from mini_agent.coding.subagents.callback import CalledBack
from mini_agent.coding.subagents.run import Kind, Parent, Subagents
from mini_agent.coding.tool_middleware import GatedTools, Surroundings
from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.coding.tools.protocols import Asker
from mini_agent.coding.tools.todo_list import TodoList
from mini_agent.coding.tools.workspace import KnownFiles, Workplace
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.wrappers import JoinedInvoker

# Agents that start agents that start agents cost more than they bring.
DEEPEST: Final = 2


@dataclass(frozen=True, slots=True)
class ToolSet:
    """Makes the tools; an agent further down has its own list and its own memory of files."""

    workplace: Workplace | None
    servers: Sequence[McpServer]
    around: Surroundings
    parent: Parent
    kinds: Mapping[str, Kind]
    digest: ModelDigest
    asker: Asker | None

    def at(self, depth: int = 0) -> Invoker:
        """The tools of the session, or of an agent `depth` levels below."""
        below = Subagents(self.parent, self.kinds, self.at, depth) if depth < DEEPEST else None
        invokers = [*self._of_servers(below)]
        if self.workplace is not None:
            invokers.insert(0, coding_tools(_workplace(self.workplace, depth, below)))
        return GatedTools(JoinedInvoker(*invokers), self.around)

    def _of_servers(self, below: Subagents | None) -> Iterator[Invoker]:
        for server in self.servers:
            if server.tools is None:
                continue
            if server.may_behave and server.connection is not None:
                behaviour = McpBehaviour(server.connection)
                yield CalledBack(server.tools, behaviour, below, self.digest, self.asker)
            else:
                yield server.tools


def _workplace(main: Workplace, depth: int, below: Subagents | None) -> Workplace:
    if not depth:
        return replace(main, subagents=below)
    return replace(main, subagents=below, files=KnownFiles(), todos=TodoList())
