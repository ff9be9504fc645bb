"""The user, of whose questions hooks are told: somebody may have to be called to the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mini_agent.coding.approval import CallAsker, Said
from mini_agent.coding.notifications import Notices
from mini_agent.coding.permissions.policy import Asked
from mini_agent.coding.tools.protocols import Asker, Question


@dataclass(frozen=True, slots=True)
class NoticedCalls:
    """Asks `user` about calls."""

    user: CallAsker
    notices: Notices

    async def may(self, asked: Asked) -> Said:
        """What the user says to it."""
        with self.notices.asking(f"mini-agent needs your permission: {asked.question}"):
            return await self.user.may(asked)


@dataclass(frozen=True, slots=True)
class NoticedQuestions:
    """Asks `user` what the model wants to know."""

    user: Asker
    notices: Notices

    async def answers(self, questions: Sequence[Question]) -> Mapping[str, str]:
        """What the user answers."""
        asked = " ".join(question.text for question in questions)
        with self.notices.asking(f"mini-agent has a question for you: {asked}"):
            return await self.user.answers(questions)

    async def approves(self, plan: str) -> bool:
        """Whether a plan is to be carried out."""
        with self.notices.asking("mini-agent needs your approval of its plan"):
            return await self.user.approves(plan)
