"""Questions to the user in the middle of a turn: permissions, choices, plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from rich.console import Console
from rich.text import Text

from mini_agent.coding.approval import UserAnswer
from mini_agent.coding.permissions.policy import Ask
from mini_agent.coding.terminal.formatting import format_diff
from mini_agent.coding.terminal.screen import Screen
from mini_agent.coding.tools.protocols import Question
from mini_agent.net.terminal_text import escape_controls

YES_WORDS: Final = ("", "y", "yes", "1")
SHOW_WORDS: Final = ("s", "show")
# More than a screen; the rest is shown when it is asked for.
MAX_DIFF_LINES: Final = 60
ALWAYS_WORDS: Final = ("a", "always", "2")


class LineReader(Protocol):
    """Reads lines from the user."""

    async def read_line(self, prompt: str) -> str | None:
        """Return a line; None when the user is gone."""
        ...

    def discard_input(self) -> None:
        """Discard what was typed before the question."""
        ...


@dataclass
class TerminalQuestions:
    """Asks the user; the screen pauses meanwhile."""

    console: Console
    screen: Screen
    reader: LineReader

    async def ask_permission(self, ask: Ask) -> UserAnswer:
        """Ask whether a call may be made."""
        self._begin()
        self.console.print(Text(f"\n{escape_controls(ask.question)}", style="bold"))
        lines = ask.diff.splitlines()
        is_long = len(lines) > MAX_DIFF_LINES
        self._show_diff(lines[:MAX_DIFF_LINES])
        always = escape_controls(str(ask.suggested_rule))
        more = f"   s show the other {len(lines) - MAX_DIFF_LINES} lines" if is_long else ""
        choices = f"  y yes   a always ({always}){more}   n no, or say what to do instead"
        self.console.print(Text(choices))
        answer = await self.reader.read_line("? ")
        if is_long and answer is not None and answer.strip().lower() in SHOW_WORDS:
            self._show_diff(lines[MAX_DIFF_LINES:])
            self.console.print(Text(choices.replace(more, "")))
            answer = await self.reader.read_line("? ")
        return _parse_permission(answer)

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        """Ask each question; those left empty are missing from the result."""
        self._begin()
        answer: dict[str, str] = {}
        for question in questions:
            self.console.print(Text(f"\n{escape_controls(question.text)}", style="bold"))
            for number, choice in enumerate(question.choices, start=1):
                about = f": {choice.description}" if choice.description else ""
                self.console.print(Text(escape_controls(f"  {number} {choice.label}{about}")))
            line = await self.reader.read_line("? ")
            if line is None:
                break
            if line.strip():
                answer[question.text] = _parse_choice(question, line)
        return answer

    async def approve_plan(self, plan: str) -> bool:
        """Ask whether a plan is to be carried out."""
        self._begin()
        self.screen.say(f"\n{plan}\n")
        self.console.print(Text("  y carry it out   n go on planning"))
        line = await self.reader.read_line("? ")
        return line is not None and line.strip().lower() in YES_WORDS

    def _show_diff(self, lines: Sequence[str]) -> None:
        if lines:
            self.console.print(format_diff("\n".join(lines)), end="")

    def _begin(self) -> None:
        self.screen.pause()
        self.reader.discard_input()


def _parse_permission(answer: str | None) -> UserAnswer:
    if answer is None:
        return UserAnswer("no")
    word = answer.strip().lower()
    if word in YES_WORDS:
        return UserAnswer("once")
    if word in ALWAYS_WORDS:
        return UserAnswer("always")
    return UserAnswer("no", "" if word in ("n", "no", "3") else answer.strip())


def _parse_choice(question: Question, line: str) -> str:
    """Convert numbers to labels of choices; other text is the answer itself."""
    labels: list[str] = []
    for word in line.replace(",", " ").split():
        if not word.isdigit() or not 1 <= int(word) <= len(question.choices):
            return line.strip()
        labels.append(question.choices[int(word) - 1].label)
    return ", ".join(labels if question.takes_many else labels[:1])
