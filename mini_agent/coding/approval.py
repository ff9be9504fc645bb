"""Applies the permission policy to a call, and asks the user where the policy says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

from mini_agent.coding.hooks.decision import Permission
from mini_agent.coding.permissions.policy import (
    Allow,
    Ask,
    Decision,
    Deny,
    PermissionPolicy,
)
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.tools.protocols import Question, UserPrompter
from mini_agent.errors import MiniAgentError
from mini_agent.messages import JsonObject


@dataclass(frozen=True, slots=True)
class UserAnswer:
    """The user's answer to a permission prompt; `reason` goes to the model."""

    answer: Literal["once", "always", "no"]
    reason: str = ""


class PermissionPrompter(Protocol):
    """Asks the user for permission."""

    async def ask_permission(self, asked: Ask) -> UserAnswer:
        """Return the user's answer."""
        ...


@dataclass(frozen=True, slots=True)
class PlanModePrompter:
    """A prompter for which an approved plan ends plan mode."""

    user: UserPrompter
    permissions: Callable[[], PermissionPolicy]

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        """Pass the questions on."""
        return await self.user.ask(questions)

    async def approve_plan(self, plan: str) -> bool:
        """Ask, and after an approval leave plan mode, so that changes may be made."""
        agrees = await self.user.approve_plan(plan)
        permissions = self.permissions()
        if agrees and permissions.mode == "plan":
            permissions.mode = "default"
        return agrees


def _ignore(said: str) -> None:
    """Discard the message."""


@dataclass
class PolicyApprover:
    """Approves calls by policy, then by the user; without a user, to ask is to deny.

    `notify` gets a message when a rule could not be saved.
    """

    permissions: PermissionPolicy
    prompter: PermissionPrompter | None
    notify: Callable[[str], None] = _ignore
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find_objection(self, name: str, arguments: JsonObject, said: Permission) -> str:
        """Return why the call may not be made, else "". A hook cannot undo a deny rule."""
        decision = self.permissions.decide(name, arguments)
        match decision:
            case Deny():
                return decision.reason
            case Allow() if said != "ask":
                return ""
            case Ask() if said == "allow":
                return ""
            case Ask() if said != "ask":
                again = partial(self.permissions.decide, name, arguments)
                return await self._asked(decision, again)
            case Allow():
                decision = Ask(f"A hook wants to know: call {name}?", "", Rule(name, ""))
            case _:
                pass
        return await self._asked(decision, lambda: decision)

    async def _asked(self, asked: Ask, again: Callable[[], Decision]) -> str:
        if self.prompter is None:
            return (
                f"This needs the user's permission, and nobody is there to be asked. The rule "
                f"{asked.suggested_rule} would allow it, with --allowed-tools or under permissions.allow."
            )
        async with self._one_at_a_time:
            # What the user has said to another call may hold for this one, and what that call
            # has done may have changed what this one would do.
            by_now = again()
            if isinstance(by_now, Allow):
                return ""
            asked = by_now if isinstance(by_now, Ask) else asked
            said = await self.prompter.ask_permission(asked)
            if said.answer == "always":
                self._remember(asked.suggested_rule)
            if said.answer != "no":
                self.permissions.approve(asked)
        if said.answer != "no":
            return ""
        why = f" They say: {said.reason}" if said.reason else ""
        return f"The user does not want this to be done.{why}"

    def _remember(self, rule: Rule) -> None:
        try:
            self.permissions.remember(rule)
        except MiniAgentError as broken:
            self.notify(str(broken))
