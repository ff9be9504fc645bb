"""Decides on a call: allow it, deny it, or ask the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeAlias

from pydantic import ValidationError

from mini_agent.coding.options import PermissionMode
from mini_agent.coding.permissions.matching import covers, touches
from mini_agent.coding.permissions.question import format_question, preview_change, suggest_rule
from mini_agent.coding.permissions.request import PermissionRequest, parse_request
from mini_agent.coding.permissions.rules import Rule, Rules
from mini_agent.coding.tools.catalog import TOOLS
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.coding_tool import CodingTool
from mini_agent.coding.tools.context import ToolContext
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import RejectedCall

# The user sees and steers what these do.
UNRESTRICTED_TOOLS: Final = frozenset({"Task", "AskUserQuestion", "ExitPlanMode"})


@dataclass(frozen=True, slots=True)
class Allow:
    """The call may be made."""


@dataclass(frozen=True, slots=True)
class Deny:
    """The call may not be made; `reason` is for the model."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """The user decides; for "always", `suggested_rule` is to be remembered.

    `change` is what the call would do to its file, or why it will fail; `tool` is the call, if it
    is one of our tools.
    """

    question: str
    change: Change | str
    suggested_rule: Rule
    tool: CodingTool | None = None

    @property
    def diff(self) -> str:
        """Return what the user is shown of the change; empty if there is none."""
        return self.change if isinstance(self.change, str) else self.change.diff()


Decision: TypeAlias = Allow | Deny | Ask


class ChangeApprover(Protocol):
    """Asks the user whether changes of the sandbox may be applied."""

    @property
    def can_ask(self) -> bool:
        """Whether there is a user to be asked."""
        ...

    async def request(self, ask: Ask) -> str:
        """Return why not, or "" where the user agrees."""
        ...


@dataclass(slots=True)
class PermissionPolicy:
    """Rules, in the order deny, ask, allow, and the mode, which decides where no rule does.

    `mode` may be set at any time. Where `can_ask` is False there is no user, and what would be
    asked is denied. `own_tools` are the names that mean our tools, not a server's. Of foreign
    tools, `read_only_tools` change nothing and `isolated_tools` reach nothing of the user's.
    `save_rule` stores the rules to be remembered.
    """

    context: ToolContext
    rules: Rules = field(default_factory=Rules)
    mode: PermissionMode = "default"
    can_ask: bool = True
    own_tools: frozenset[str] = frozenset(TOOLS)
    read_only_tools: frozenset[str] = frozenset()
    isolated_tools: frozenset[str] = frozenset()
    save_rule: Callable[[Rule], None] | None = None

    def decide(self, tool_name: str, arguments: JsonObject) -> Decision:
        """Parse the call, match the rules against it, and decide."""
        try:
            request = parse_request(tool_name, arguments, self.context)
        except (ValidationError, RejectedCall):
            if tool_name in self.own_tools:
                # The tool itself answers with the error, and changes nothing.
                return Allow()
            request = PermissionRequest(tool_name, arguments, self.context, None)
        return self._decide(request)

    def approve(self, ask: Ask) -> None:
        """Record the user's consent: exactly the change that was shown may be made."""
        if isinstance(ask.change, Change):
            self.context.approved_changes.add(ask.tool, ask.change)

    def remember(self, rule: Rule) -> None:
        """Allow what the rule covers from now on; then raise errors of `save_rule`."""
        if rule not in self.rules.allow:
            self.rules = replace(self.rules, allow=(*self.rules.allow, rule))
            if self.save_rule is not None:
                self.save_rule(rule)

    def _decide(self, request: PermissionRequest) -> Decision:
        deny = next((rule for rule in self.rules.deny if touches(rule, request)), None)
        if deny is not None:
            return Deny(f"{request.tool_name} is denied here by the rule {deny}.")
        if self.mode == "plan" and not self._only_reads(request):
            return Deny(
                f"{request.tool_name} is denied in plan mode, in which nothing is changed. "
                "Finish the plan and call ExitPlanMode."
            )
        if any(touches(rule, request) for rule in self.rules.ask):
            return self._ask(request)
        return Allow() if self._is_allowed(request) else self._ask(request)

    def _is_allowed(self, request: PermissionRequest) -> bool:
        if self.mode == "bypassPermissions" or request.tool_name in self._unrestricted:
            return True
        if any(covers(rule, request) for rule in self.rules.allow):
            return True
        if request.is_read_only:
            return request.is_local
        return request.changes_files and self.mode == "acceptEdits" and request.is_inside

    def _only_reads(self, request: PermissionRequest) -> bool:
        return (
            request.is_read_only or request.tool_name in self._unrestricted | self.read_only_tools
        )

    @property
    def _unrestricted(self) -> frozenset[str]:
        return (UNRESTRICTED_TOOLS & self.own_tools) | self.isolated_tools

    def _ask(self, request: PermissionRequest) -> Decision:
        rule = suggest_rule(request)
        if self.can_ask:
            return Ask(format_question(request), preview_change(request), rule, request.tool)
        return Deny(
            f"{request.tool_name} needs the user's permission, and nobody is there to be asked. "
            f"The rule {rule} would allow it, in .claude/settings.local.json under "
            "permissions.allow, or with --allowed-tools."
        )
