"""Detects a model whose native calls carry arguments that are no JSON, turn after turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mini_agent.tool_parsing.arguments import NOT_AN_OBJECT
from mini_agent.tool_parsing.resolve import ResolvedCall

MAX_BROKEN_TURNS: Final = 2


class BrokenArgumentsGuardrail:
    """Counts the turns in a row in which the arguments of every native call were unreadable."""

    def __init__(self) -> None:
        self._turns = 0

    def observe(self, calls: Sequence[ResolvedCall]) -> None:
        """Adds the calls of the turn that has just ended."""
        is_broken = bool(calls) and all(
            each.form == "call" and each.problem.startswith(NOT_AN_OBJECT) for each in calls
        )
        self._turns = self._turns + 1 if is_broken else 0

    @property
    def wants_text(self) -> bool:
        """Whether the model is to write its next call as text."""
        return self._turns >= MAX_BROKEN_TURNS
