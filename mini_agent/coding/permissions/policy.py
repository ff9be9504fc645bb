"""What the assistant may do: allowed, denied, or to be asked of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from pydantic import ValidationError

from mini_agent.coding.options import PermissionMode
from mini_agent.coding.permissions.matching import PermissionRequest, covers, parse_request, touches
from mini_agent.coding.permissions.prompts import format_question, preview_change, suggest_rule
from mini_agent.coding.permissions.rules import Rule, Rules
from mini_agent.coding.tools.catalog import TOOLS
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.coding_tool import CodingTool as Arguments
from mini_agent.coding.tools.context import ToolContext
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import NotRun

# The user sees and steers what they do.
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
    """The user decides; "always" is to `remember` the rule.

    `change` is what the call would make of a file, or why it will not; `arguments` are those of a
    call of ours.
    """

    question: str
    change: Change | str
    suggested_rule: Rule
    arguments: Arguments | None = None

    @property
    def diff(self) -> str:
        """What the user is shown of the change; empty where there is none."""
        return self.change if isinstance(self.change, str) else self.change.diff()


Decision: TypeAlias = Allow | Deny | Ask


@dataclass(slots=True)
class PermissionPolicy:
    """Rules weigh more than the mode: deny, then ask, then allow.

    `mode` may be set at any time. Where `can_ask` is false nobody is there to be asked, and what
    would be asked is denied. Tools with the names of ours are `own`, or a server's. Of the tools
    of others, `readers` only read, and `sealed` ones reach nothing of the user's. `keep` is told
    the rules to be remembered.
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
        """What is to become of a call."""
        try:
            request = parse_request(tool_name, arguments, self.context)
        except (ValidationError, NotRun):
            if tool_name in self.own_tools:
                # The tool itself answers what is wrong with it, and does nothing.
                return Allow()
            request = PermissionRequest(tool_name, arguments, self.context, None)
        return self._decided(request)

    def approve(self, asked: Ask) -> None:
        """The user agrees: the change that the question showed is the one to be made."""
        if isinstance(asked.change, Change):
            self.context.approved_changes.add(asked.arguments, asked.change)

    def remember(self, rule: Rule) -> None:
        """Allows from now on what the rule speaks of; errors of `keep` are raised afterwards."""
        if rule not in self.rules.allow:
            self.rules = replace(self.rules, allow=(*self.rules.allow, rule))
            if self.save_rule is not None:
                self.save_rule(rule)

    def _decided(self, request: PermissionRequest) -> Decision:
        denying = next((rule for rule in self.rules.deny if touches(rule, request)), None)
        if denying is not None:
            return Deny(f"{request.tool_name} is denied here by the rule {denying}.")
        if self.mode == "plan" and not self._only_reads(request):
            return Deny(
                f"{request.tool_name} is denied in plan mode, in which nothing is changed. Finish the "
                "plan and call ExitPlanMode."
            )
        if any(touches(rule, request) for rule in self.rules.ask):
            return self._asked(request)
        return Allow() if self._is_allowed(request) else self._asked(request)

    def _is_allowed(self, request: PermissionRequest) -> bool:
        if self.mode == "bypassPermissions" or request.tool_name in self._harmless:
            return True
        if any(covers(rule, request) for rule in self.rules.allow):
            return True
        if request.is_read_only:
            return request.is_local
        return request.changes_files and self.mode == "acceptEdits" and request.is_inside

    def _only_reads(self, request: PermissionRequest) -> bool:
        return request.is_read_only or request.tool_name in self._harmless | self.read_only_tools

    @property
    def _harmless(self) -> frozenset[str]:
        return (UNRESTRICTED_TOOLS & self.own_tools) | self.isolated_tools

    def _asked(self, request: PermissionRequest) -> Decision:
        rule = suggest_rule(request)
        if self.can_ask:
            return Ask(format_question(request), preview_change(request), rule, request.tool)
        return Deny(
            f"{request.tool_name} needs the user's permission, and nobody is there to be asked. "
            f"The rule {rule} would allow it, in .claude/settings.local.json under "
            "permissions.allow, or with --allowed-tools."
        )
