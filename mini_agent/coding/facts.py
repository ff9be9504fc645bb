"""What a session is made of, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from mini_agent.coding.ground import Ground
from mini_agent.coding.permissions.decision import Permissions
from mini_agent.coding.servers import McpServer


@dataclass(frozen=True, slots=True)
class Facts:
    """The ground it stands on, what it may do, and the tools and servers that there are."""

    ground: Ground
    permissions: Permissions
    tools: tuple[str, ...]
    servers: tuple[McpServer, ...]
