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

    async def ask_permission(self, ask: Ask) -> UserAnswer:
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
        approved = await self.user.approve_plan(plan)
        permissions = self.permissions()
        if approved and permissions.mode == "plan":
            permissions.mode = "default"
        return approved


def _ignore(message: str) -> None:
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

    async def find_objection(
        self, name: str, arguments: JsonObject, hook_permission: Permission
    ) -> str:
        """Return why the call may not be made, else "". A hook cannot undo a deny rule."""
        decision = self.permissions.decide(name, arguments)
        match decision:
            case Deny():
                return decision.reason
            case Allow() if hook_permission != "ask":
                return ""
            case Ask() if hook_permission == "allow":
                return ""
            case Ask() if hook_permission != "ask":
                decide_again = partial(self.permissions.decide, name, arguments)
                return await self._ask(decision, decide_again)
            case Allow():
                decision = Ask(f"A hook wants to know: call {name}?", "", Rule(name, ""))
            case _:
                pass
        return await self._ask(decision, lambda: decision)

    @property
    def can_ask(self) -> bool:
        """Whether there is a user to be asked."""
        return self.prompter is not None

    async def request(self, ask: Ask) -> str:
        """Return why the user does not agree, else "": a question that comes from no call."""
        return await self._ask(ask, lambda: ask)

    async def _ask(self, ask: Ask, decide_again: Callable[[], Decision]) -> str:
        if self.prompter is None:
            return (
                "This needs the user's permission, and nobody is there to be asked. The rule "
                f"{ask.suggested_rule} would allow it, with --allowed-tools or under "
                "permissions.allow."
            )
        async with self._one_at_a_time:
            # Decide again: while this call waited, the user may have allowed it by a rule, and
            # another call may have changed the file that it edits.
            current = decide_again()
            if isinstance(current, Allow):
                return ""
            ask = current if isinstance(current, Ask) else ask
            answer = await self.prompter.ask_permission(ask)
            if answer.answer == "always":
                self._remember(ask.suggested_rule)
            if answer.answer != "no":
                self.permissions.approve(ask)
        if answer.answer != "no":
            return ""
        why = f" They say: {answer.reason}" if answer.reason else ""
        return f"The user does not want this to be done.{why}"

    def _remember(self, rule: Rule) -> None:
        try:
            self.permissions.remember(rule)
        except MiniAgentError as error:
            self.notify(str(error))
