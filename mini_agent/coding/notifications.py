"""Notification hooks: report that the assistant waits for the user, without waiting for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mini_agent.coding.approval import PermissionPrompter, UserAnswer
from mini_agent.coding.hooks.commands import HookSource
from mini_agent.coding.hooks.decision import HookDecision
from mini_agent.coding.hooks.event import HookContext
from mini_agent.coding.permissions.policy import Ask
from mini_agent.coding.tools.protocols import Question, UserPrompter
from mini_agent.messages import JsonObject

# Claude Code's names, which matchers are compared with.
NotificationType: TypeAlias = Literal["permission_prompt", "idle_prompt"]
IDLE_MESSAGE: Final = "mini-agent is waiting for your input"
IDLE_TIMEOUT_S: Final = 60.0
TITLE: Final = "mini-agent"


class Notifications:
    """Runs Notification hooks in the background; `warn` receives their messages after the wait."""

    def __init__(
        self,
        hooks: HookSource,
        hook_context: Callable[[], HookContext],
        warn: Callable[[str], None],
    ) -> None:
        self._hooks, self._hook_context, self._warn = hooks, hook_context, warn
        self._sent: set[asyncio.Task[HookDecision]] = set()

    @contextmanager
    def during_question(self, message: str) -> Iterator[None]:
        """Notify that a question in the middle of a turn waits for an answer."""
        self._send("permission_prompt", message)
        try:
            yield
        finally:
            self._report_finished()

    @contextmanager
    def during_prompt(self, idle_s: float) -> Iterator[None]:
        """Notify once the prompt has waited for `idle_s` seconds."""
        timer = asyncio.get_running_loop().call_later(
            idle_s, self._send, "idle_prompt", IDLE_MESSAGE
        )
        try:
            yield
        finally:
            timer.cancel()
            self._report_finished()

    async def aclose(self) -> None:
        """Cancel the hooks that still run."""
        for task in self._sent:
            task.cancel()
        if self._sent:
            await asyncio.wait(self._sent)
        self._report_finished()

    def _send(self, kind: NotificationType, message: str) -> None:
        fields: JsonObject = {"message": message, "title": TITLE, "notification_type": kind}
        event = self._hook_context().event("Notification", kind, fields)
        self._sent.add(asyncio.create_task(self._hooks.decide(event)))

    def _report_finished(self) -> None:
        done = {task for task in self._sent if task.done()}
        self._sent -= done
        for decision in [task.result() for task in done if not task.cancelled()]:
            for warning in (*decision.messages, *decision.reasons, *decision.faults):
                self._warn(warning)


@dataclass(frozen=True, slots=True)
class NotifyingPermissionPrompter:
    """Asks `user` for permission, and notifies of each question."""

    user: PermissionPrompter
    notifications: Notifications

    async def ask_permission(self, ask: Ask) -> UserAnswer:
        """Ask about a call."""
        with self.notifications.during_question(
            f"mini-agent needs your permission: {ask.question}"
        ):
            return await self.user.ask_permission(ask)


@dataclass(frozen=True, slots=True)
class NotifyingUserPrompter:
    """Asks `user` the model's questions, and notifies of each."""

    user: UserPrompter
    notifications: Notifications

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        """Ask questions."""
        texts = " ".join(question.text for question in questions)
        with self.notifications.during_question(f"mini-agent has a question for you: {texts}"):
            return await self.user.ask(questions)

    async def approve_plan(self, plan: str) -> bool:
        """Ask whether a plan is to be carried out."""
        with self.notifications.during_question("mini-agent needs your approval of its plan"):
            return await self.user.approve_plan(plan)
