"""The tools of a subagent: those of the session, less what its type denies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from mini_agent.coding.permissions.policy import Ask, Deny, PermissionPolicy
from mini_agent.coding.permissions.rules import Rules
from mini_agent.coding.subagents.definition import TASK_TOOL, SubagentType
from mini_agent.tools.arguments import RejectedCall, parse_tool_call
from mini_agent.tools.invoker import (
    Invoker,
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    WrapperInvoker,
    error_output,
    forward_call,
    get_called_name,
    get_tool_name,
)

SERVER_ALONE: Final = re.compile(r"mcp__[^_]+(?:_[^_]+)*")


class SubagentTools(WrapperInvoker):
    """Of the tools of `invoker` those that a type of subagents has; what is not listed is refused.

    Its rules and its mode are applied before those of the session, which hold as well.
    """

    def __init__(self, invoker: Invoker, agent: SubagentType, policy: PermissionPolicy) -> None:
        self._invoker, self._agent, self._session_policy = invoker, agent, policy

    async def list_openai_tools(self) -> list[Tool]:
        """Return the tools that are left."""
        tools = await self._invoker.list_openai_tools()
        return [tool for tool in tools if self._has(get_tool_name(tool))]

    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput:
        name = get_called_name(openai_tool)
        if not self._has(name):
            return error_output(f"the tool {name!r:.80} is not enabled here")
        objection = self._find_objection(openai_tool)
        if objection:
            return error_output(objection)
        return await forward_call(self._invoker, openai_tool, listener)

    def _has(self, name: str) -> bool:
        if name == TASK_TOOL and not self._agent.may_start_agents:
            return False
        plain = [rule.tool for rule in self._agent.denied if not rule.spec]
        if _matches_any(name, plain):
            return False
        return self._agent.tools is None or _matches_any(name, self._agent.tools)

    def _find_objection(self, openai_tool: OpenAIToolCall) -> str:
        if self._agent.may_start_agents:
            return ""
        try:
            name, arguments = parse_tool_call(openai_tool)
        except RejectedCall as error:
            return str(error)
        decision = self._policy().decide(name, arguments)
        if isinstance(decision, Deny):
            return decision.reason
        if isinstance(decision, Ask) and self._agent.mode == "dontAsk":
            return f"{name} would need the user's permission, which this agent does not ask for."
        return ""

    def _policy(self) -> PermissionPolicy:
        policy = self._session_policy
        rules = policy.rules + Rules(deny=self._agent.denied)
        mode = "plan" if self._agent.mode == "plan" else policy.mode
        return replace(policy, rules=rules, mode=mode, can_ask=True, save_rule=None)


def _matches_any(name: str, written: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for each in written for pattern in _patterns(each))


def _patterns(written: str) -> tuple[str, ...]:
    """Return patterns of names; the name of an MCP server alone means all of its tools."""
    return (written, f"{written}__*") if SERVER_ALONE.fullmatch(written) else (written,)
