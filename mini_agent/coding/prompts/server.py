"""A server of behaviour: whatever answers the seed's URIs, in this process or over MCP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Protocol
from urllib.parse import quote

from mini_agent.coding.hooks.decision import (
    SILENT,
    Verdict,
    together,
    verdict_in,
)
from mini_agent.coding.hooks.event import EventName, HookEvent
from mini_agent.coding.options import Mode
from mini_agent.errors import MiniAgentError
from mini_agent.mcp.client.invoker import McpInvoker

SYSTEM_PROMPT: Final = "system-prompt://main"
PLAN_MODE: Final = "plan-mode://set/"
OVER_MCP: Final[tuple[EventName, ...]] = ("UserPromptSubmit", "PreToolUse", "PostToolUse")


class BehaviourServer(Protocol):
    """Anything with resources."""

    async def serves(self, uri: str) -> bool:
        """Whether one of its templates fits."""
        ...

    async def read(self, uri: str) -> list[str]:
        """The contents of one; raises `MiniAgentError` when it has none."""
        ...


class McpBehaviour:
    """The resources of an MCP server."""

    def __init__(self, invoker: McpInvoker) -> None:
        self._invoker = invoker
        self._templates: list[str] | None = None

    async def serves(self, uri: str) -> bool:
        """Whether a template, without the part to be filled in, begins `uri`."""
        if self._templates is None:
            self._templates = await self._invoker.templates()
        return any(uri.startswith(template.partition("{")[0]) for template in self._templates)

    async def read(self, uri: str) -> list[str]:
        """The contents of a resource."""
        return await self._invoker.read(uri)


class ServedHooks:
    """The hooks among the resources of `servers`; one that fails changes nothing."""

    def __init__(self, servers: Sequence[BehaviourServer]) -> None:
        self._servers = tuple(servers)

    async def verdict(self, event: HookEvent) -> Verdict:
        """What they say together."""
        if event.name not in OVER_MCP:
            return SILENT
        uri = f"hook://{event.name}/{quote(json.dumps(event.told), safe='')}"
        return together([await _said(server, uri) for server in self._servers])


async def system_prompt(servers: Sequence[BehaviourServer]) -> list[str]:
    """The blocks of the system message, in the order of the servers."""
    blocks: list[str] = []
    for server in servers:
        if await server.serves(SYSTEM_PROMPT):
            blocks += await server.read(SYSTEM_PROMPT)
    return [block for block in blocks if block.strip()]


async def tell_mode(servers: Sequence[BehaviourServer], mode: Mode) -> None:
    """Lets servers know whether plan mode is on; most have nothing to remind of then."""
    uri = f"{PLAN_MODE}{'true' if mode == 'plan' else 'false'}"
    for server in servers:
        if await server.serves(uri):
            await server.read(uri)


async def _said(server: BehaviourServer, uri: str) -> Verdict:
    try:
        contents = await server.read(uri) if await server.serves(uri) else []
    except MiniAgentError as broken:
        return Verdict(faults=(str(broken),))
    verdicts = [verdict_in(text) or Verdict(faults=(_odd(text),)) for text in contents]
    return together(verdicts)


def _odd(text: str) -> str:
    return f"a hook answered with something other than a JSON object: {text:.80}"
