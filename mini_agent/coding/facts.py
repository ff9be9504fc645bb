"""What a session is made of, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from mini_agent.coding.launch import Ground
from mini_agent.coding.mcp_servers import McpServer
from mini_agent.coding.permissions.policy import Permissions


@dataclass(frozen=True, slots=True)
class Facts:
    """The ground it stands on, what it may do, and the tools and servers that there are."""

    ground: Ground
    permissions: Permissions
    tools: tuple[str, ...]
    servers: tuple[McpServer, ...]
