"""Changes as they are shown at the terminal."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from rich.console import Console

from mini_agent.coding.approval import UserAnswer
from mini_agent.coding.permissions.policy import Ask
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.terminal.questions import MAX_DIFF_LINES, TerminalQuestions
from mini_agent.coding.terminal.screen import Screen


@dataclass
class TypedLines:
    """A reader of these lines; then the user is gone."""

    lines: list[str]

    async def read_line(self, prompt: str) -> str | None:
        assert prompt == "? "
        return self.lines.pop(0) if self.lines else None

    def discard_input(self) -> None:
        pass


async def ask(lines: int, *typed: str) -> tuple[UserAnswer, str]:
    console = Console(file=io.StringIO(), width=200)
    questions = TerminalQuestions(console, Screen(console), TypedLines([*typed]))
    diff = "\n".join(f"+line {number}" for number in range(1, lines + 1))
    answer = await questions.ask_permission(Ask("Apply this?", diff, Rule("Edit")))
    assert isinstance(console.file, io.StringIO)
    return answer, console.file.getvalue()


async def test_a_short_diff_is_shown_at_once() -> None:
    answer, shown = await ask(MAX_DIFF_LINES, "y")
    assert answer == UserAnswer("once")
    assert f"+line {MAX_DIFF_LINES}\n" in shown
    assert "s show" not in shown


async def test_the_rest_of_a_long_one_is_shown_when_it_is_asked_for() -> None:
    answer, shown = await ask(MAX_DIFF_LINES + 5, "n")
    assert answer == UserAnswer("no")
    assert f"+line {MAX_DIFF_LINES + 1}\n" not in shown
    assert "s show the other 5 lines" in shown
    answer, shown = await ask(MAX_DIFF_LINES + 5, "s", "y")
    assert answer == UserAnswer("once")
    assert [f"+line {number}\n" in shown for number in (1, MAX_DIFF_LINES + 5)] == [True, True]
    assert shown.count("+line 7\n") == 1


@pytest.mark.parametrize("typed", [(), ("s",)])
async def test_a_user_who_is_gone_agrees_to_nothing(typed: tuple[str, ...]) -> None:
    answer, _ = await ask(MAX_DIFF_LINES + 5, *typed)
    assert answer == UserAnswer("no")
