"""Decides on a call: allow it, deny it, or ask the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeAlias

from pydantic import ValidationError

from mini_agent.coding.options import PermissionMode
from mini_agent.coding.permissions.matching import is_covered, may_touch, touches
from mini_agent.coding.permissions.question import (
    describe_limit,
    format_question,
    preview_change,
    suggest_rule,
)
from mini_agent.coding.permissions.request import PermissionRequest, parse_request
from mini_agent.coding.permissions.rules import Rule, Rules
from mini_agent.coding.permissions.shell_files import LineFiles
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
        command = request.command
        # In the sandbox a line finds no file that a rule denies: none of them is copied.
        in_sandbox = request.tool_name in self._unrestricted
        files = None if command is None or in_sandbox else LineFiles(command, request.context)
        deny = next((rule for rule in self.rules.deny if touches(rule, request, files)), None)
        if deny is not None:
            return Deny(f"{request.tool_name} is denied here by the rule {deny}.")
        if self.mode == "plan" and not self._only_reads(request):
            return Deny(
                f"{request.tool_name} is denied in plan mode, in which nothing is changed. "
                "Finish the plan and call ExitPlanMode."
            )
        if any(touches(rule, request, files) for rule in self.rules.ask):
            return self._ask(request)
        # What a deny or ask rule may be about is not allowed by any other rule, nor by the mode.
        limits = (*self.rules.deny, *self.rules.ask)
        limit = next((rule for rule in limits if may_touch(rule, request, files)), None)
        if limit is not None:
            return self._ask(request, limit)
        return Allow() if self._is_allowed(request) else self._ask(request)

    def _is_allowed(self, request: PermissionRequest) -> bool:
        if self.mode == "bypassPermissions" or request.tool_name in self._unrestricted:
            return True
        if is_covered(self.rules.allow, request):
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

    def _ask(self, request: PermissionRequest, limit: Rule | None = None) -> Decision:
        """Ask; `limit` is the rule that may be about the call, which its text does not tell."""
        rule = suggest_rule(request)
        if self.can_ask:
            question = format_question(request, limit)
            return Ask(question, preview_change(request), rule, request.tool)
        needs = f"{request.tool_name} needs the user's permission, and nobody is there to be asked."
        if limit is not None:
            return Deny(f"{needs} {describe_limit(limit)} Write it without what hides that.")
        return Deny(
            f"{needs} The rule {rule} would allow it, in .claude/settings.local.json under "
            "permissions.allow, or with --allowed-tools."
        )
