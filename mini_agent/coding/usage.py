"""How a turn of the user's ended: with an answer, or with what stood in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.transcript.session import NOTHING_USED
from mini_agent.result import Usage

How: TypeAlias = Literal["done", "failed", "max_turns", "withheld", "full", "interrupted"]
DONE, FAILED, WITHHELD, STOPPED = 0, 1, 2, 130
EXIT_CODES: Final[dict[How, int]] = {
    "done": DONE,
    "failed": FAILED,
    "max_turns": FAILED,
    "withheld": WITHHELD,
    "full": FAILED,
    "interrupted": STOPPED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended; "full" means that the conversation has to be told anew before it goes on.

    `answer` is the model's last text; `error` says what went wrong; `withheld` are the calls
    that were not carried out because tools are not to be."""

    how: How
    answer: str = ""
    error: str = ""
    withheld: tuple[ToolUse, ...] = ()
    usage: Usage = NOTHING_USED
    turns: int = 0
    model_ms: float = 0.0

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return EXIT_CODES[self.how]
