"""What the assistant may do: allowed, denied, or to be asked of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from pydantic import ValidationError

from mini_agent.coding.options import Mode
from mini_agent.coding.permissions.matching import Subject, covers, subject_of, touches
from mini_agent.coding.permissions.prompts import always_rule, change_of, question
from mini_agent.coding.permissions.rules import Rule, Rules
from mini_agent.coding.tools.base import Asked as Arguments
from mini_agent.coding.tools.catalog import TOOLS
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import NotRun

# The user sees and steers what they do.
HARMLESS: Final = frozenset({"Task", "AskUserQuestion", "ExitPlanMode"})


@dataclass(frozen=True, slots=True)
class Allowed:
    """The call may be made."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The call may not be made; `reason` is for the model."""

    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The user decides; "always" is to `remember` the rule.

    `change` is what the call would make of a file, or why it will not; `arguments` are those of a
    call of ours.
    """

    question: str
    change: Change | str
    always: Rule
    arguments: Arguments | None = None

    @property
    def diff(self) -> str:
        """What the user is shown of the change; empty where there is none."""
        return self.change if isinstance(self.change, str) else self.change.diff()


Decision: TypeAlias = Allowed | Denied | Asked


@dataclass(slots=True)
class Permissions:
    """Rules weigh more than the mode: deny, then ask, then allow.

    `mode` may be set at any time. Where `can_ask` is false nobody is there to be asked, and what
    would be asked is denied. Tools with the names of ours are `own`, or a server's. Of the tools
    of others, `readers` only read, and `sealed` ones reach nothing of the user's. `keep` is told
    the rules to be remembered.
    """

    at: Workplace
    rules: Rules = field(default_factory=Rules)
    mode: Mode = "default"
    can_ask: bool = True
    own: frozenset[str] = frozenset(TOOLS)
    readers: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()
    keep: Callable[[Rule], None] | None = None

    def decision(self, tool_name: str, arguments: JsonObject) -> Decision:
        """What is to become of a call."""
        try:
            subject = subject_of(tool_name, arguments, self.at)
        except (ValidationError, NotRun):
            if tool_name in self.own:
                # The tool itself answers what is wrong with it, and does nothing.
                return Allowed()
            subject = Subject(tool_name, arguments, self.at, None)
        return self._decided(subject)

    def approve(self, asked: Asked) -> None:
        """The user agrees: the change that the question showed is the one to be made."""
        if isinstance(asked.change, Change):
            self.at.approved.add(asked.arguments, asked.change)

    def remember(self, rule: Rule) -> None:
        """Allows from now on what the rule speaks of; errors of `keep` are raised afterwards."""
        if rule not in self.rules.allow:
            self.rules = replace(self.rules, allow=(*self.rules.allow, rule))
            if self.keep is not None:
                self.keep(rule)

    def _decided(self, subject: Subject) -> Decision:
        denying = next((rule for rule in self.rules.deny if touches(rule, subject)), None)
        if denying is not None:
            return Denied(f"{subject.tool} is denied here by the rule {denying}.")
        if self.mode == "plan" and not self._only_reads(subject):
            return Denied(
                f"{subject.tool} is denied in plan mode, in which nothing is changed. Finish the "
                "plan and call ExitPlanMode."
            )
        if any(touches(rule, subject) for rule in self.rules.ask):
            return self._asked(subject)
        return Allowed() if self._is_allowed(subject) else self._asked(subject)

    def _is_allowed(self, subject: Subject) -> bool:
        if self.mode == "bypassPermissions" or subject.tool in self._harmless:
            return True
        if any(covers(rule, subject) for rule in self.rules.allow):
            return True
        if subject.only_reads:
            return subject.stays_here
        return subject.changes_files and self.mode == "acceptEdits" and subject.is_inside

    def _only_reads(self, subject: Subject) -> bool:
        return subject.only_reads or subject.tool in self._harmless | self.readers

    @property
    def _harmless(self) -> frozenset[str]:
        return (HARMLESS & self.own) | self.sealed

    def _asked(self, subject: Subject) -> Decision:
        rule = always_rule(subject)
        if self.can_ask:
            return Asked(question(subject), change_of(subject), rule, subject.asked)
        return Denied(
            f"{subject.tool} needs the user's permission, and nobody is there to be asked. "
            f"The rule {rule} would allow it, in .claude/settings.local.json under "
            "permissions.allow, or with --allowed-tools."
        )
