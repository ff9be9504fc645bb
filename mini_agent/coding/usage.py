"""What a session has cost so far.

How a turn of the user's ended: with an answer, or with what stood in its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.transcript.session import NO_USAGE
from mini_agent.result import Usage

TurnStatus: TypeAlias = Literal["done", "failed", "max_turns", "withheld", "full", "interrupted"]
EXIT_DONE, EXIT_FAILED, EXIT_WITHHELD, EXIT_INTERRUPTED = 0, 1, 2, 130
EXIT_CODES: Final[dict[TurnStatus, int]] = {
    "done": EXIT_DONE,
    "failed": EXIT_FAILED,
    "max_turns": EXIT_FAILED,
    "withheld": EXIT_WITHHELD,
    "full": EXIT_FAILED,
    "interrupted": EXIT_INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """How it ended; "full" means that the conversation has to be told anew before it goes on.

    `answer` is the model's last text; `error` says what went wrong; `withheld` are the calls
    that were not carried out because tools are not to be."""

    status: TurnStatus
    answer: str = ""
    error: str = ""
    withheld: tuple[ToolUse, ...] = ()
    usage: Usage = NO_USAGE
    turns: int = 0
    model_ms: float = 0.0

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return EXIT_CODES[self.status]


@dataclass
class UsageTracker:
    """Tokens and price of all that was asked, and of the conversation's newest question alone."""

    total: Usage = NO_USAGE
    newest: Usage = NO_USAGE

    def add(self, usage: Usage) -> None:
        """One more reply in the conversation."""
        self.newest = usage
        self.add_side_reply(usage)

    def add_side_reply(self, usage: Usage) -> None:
        """One more beside it: to an agent, about a page, for a summary."""
        self.total = self.total.plus(usage)


def format_usage(usage: Usage) -> str:
    """One reply in the seed's words: what the cache had is told apart; the price where known."""
    uncached = usage.prompt_tokens - usage.cached_tokens
    input_tokens = (
        f"{usage.cached_tokens} cached input tokens, {uncached} further input tokens"
        if usage.cached_tokens
        else f"{usage.prompt_tokens} input tokens"
    )
    price = f", ${usage.cost:.4f}" if usage.cost else ""
    return f"[{input_tokens}, {usage.completion_tokens} response tokens{price}]"
