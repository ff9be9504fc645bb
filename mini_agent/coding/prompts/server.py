"""Prompt servers: resources of MCP servers that provide prompts, hooks and plan mode."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Protocol
from urllib.parse import quote

from mini_agent.coding.hooks.decision import (
    NO_DECISION,
    HookDecision,
    combine_decisions,
    fail_decision,
    limit_texts,
    parse_decision,
)
from mini_agent.coding.hooks.event import EventName, HookEvent
from mini_agent.coding.options import PermissionMode
from mini_agent.errors import MiniAgentError
from mini_agent.mcp.client.invoker import McpInvoker

SYSTEM_PROMPT_URI: Final = "system-prompt://main"
PLAN_MODE_URI: Final = "plan-mode://set/"
MCP_EVENTS: Final[tuple[EventName, ...]] = ("UserPromptSubmit", "PreToolUse", "PostToolUse")


class PromptServer(Protocol):
    """A server of resources."""

    async def serves(self, uri: str) -> bool:
        """Tell whether one of its templates fits."""
        ...

    async def read(self, uri: str) -> list[str]:
        """Return the contents of a resource; raises `MiniAgentError` where there is none."""
        ...


class McpPromptServer:
    """The resources of an MCP server."""

    def __init__(self, invoker: McpInvoker) -> None:
        self._invoker = invoker
        self._templates: list[str] | None = None

    async def serves(self, uri: str) -> bool:
        """Tell whether the part of a template before its first variable begins `uri`."""
        if self._templates is None:
            self._templates = await self._invoker.list_templates()
        return any(uri.startswith(template.partition("{")[0]) for template in self._templates)

    async def read(self, uri: str) -> list[str]:
        """Read a resource."""
        return await self._invoker.read_resource(uri)


class ServerHooks:
    """The hooks among the resources of `servers`; a failing one denies a call."""

    def __init__(self, servers: Sequence[PromptServer]) -> None:
        self._servers = tuple(servers)

    async def decide(self, event: HookEvent) -> HookDecision:
        """Combine the decisions of all servers."""
        if event.name not in MCP_EVENTS:
            return NO_DECISION
        uri = f"hook://{event.name}/{quote(json.dumps(event.payload), safe='')}"
        decisions = [await _ask_server(server, uri, event.name) for server in self._servers]
        return combine_decisions(decisions)


async def read_system_prompt(servers: Sequence[PromptServer]) -> list[str]:
    """Read the blocks of the system message, in the order of the servers."""
    blocks: list[str] = []
    for server in servers:
        if await server.serves(SYSTEM_PROMPT_URI):
            blocks += await server.read(SYSTEM_PROMPT_URI)
    return [block for block in blocks if block.strip()]


async def send_mode(servers: Sequence[PromptServer], mode: PermissionMode) -> None:
    """Tell the servers that serve plan mode whether it is on."""
    uri = f"{PLAN_MODE_URI}{'true' if mode == 'plan' else 'false'}"
    for server in servers:
        if await server.serves(uri):
            await server.read(uri)


async def _ask_server(server: PromptServer, uri: str, event: EventName) -> HookDecision:
    try:
        contents = await server.read(uri) if await server.serves(uri) else []
    except MiniAgentError as error:
        return fail_decision(event, str(error))
    decisions = [
        parse_decision(text, event) or fail_decision(event, _describe_invalid(text))
        for text in contents
    ]
    # The texts of our own prompts, memory above all, have bounds of their own.
    if isinstance(server, McpPromptServer):
        decisions = [limit_texts(decision) for decision in decisions]
    return combine_decisions(decisions)


def _describe_invalid(text: str) -> str:
    return f"a hook answered with something other than a JSON object: {text:.80}"
