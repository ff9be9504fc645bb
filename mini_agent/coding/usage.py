"""The outcome of a turn with its exit code, and the token usage of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.transcript.session import NO_USAGE
from mini_agent.result import Usage

TurnStatus: TypeAlias = Literal[
    "done", "failed", "cut", "max_turns", "withheld", "full", "interrupted"
]
EXIT_DONE, EXIT_FAILED, EXIT_WITHHELD, EXIT_INTERRUPTED = 0, 1, 2, 130
EXIT_CODES: Final[dict[TurnStatus, int]] = {
    "done": EXIT_DONE,
    "failed": EXIT_FAILED,
    "cut": EXIT_FAILED,
    "max_turns": EXIT_FAILED,
    "withheld": EXIT_WITHHELD,
    "full": EXIT_FAILED,
    "interrupted": EXIT_INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """How a turn ended; the status "full" means that the conversation must be compacted first.

    `answer` is the model's last text, `error` what went wrong, `withheld` are the calls that were
    not executed because of --no-execute-tools. An answer that is "cut" is no whole one, but
    `may_continue` where the model can go on with it. `model_ms` is in milliseconds.
    """

    status: TurnStatus
    answer: str = ""
    error: str = ""
    withheld: tuple[ToolUse, ...] = ()
    usage: Usage = NO_USAGE
    turns: int = 0
    model_ms: float = 0.0
    may_continue: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of the process."""
        return EXIT_CODES[self.status]


@dataclass
class UsageTracker:
    """Adds up tokens and price of a session; `newest` is the conversation's last reply alone."""

    total: Usage = NO_USAGE
    newest: Usage = NO_USAGE

    def add(self, usage: Usage) -> None:
        """Add a reply of the conversation."""
        self.newest = usage
        self.add_side_reply(usage)

    def add_side_reply(self, usage: Usage) -> None:
        """Add a reply outside of it: to a subagent, about a web page, or a summary."""
        self.total = self.total.plus(usage)


def format_usage(usage: Usage) -> str:
    """Format the tokens of one reply, cached ones apart, with the price where it is known."""
    uncached = usage.prompt_tokens - usage.cached_tokens
    input_tokens = (
        f"{usage.cached_tokens} cached input tokens, {uncached} further input tokens"
        if usage.cached_tokens
        else f"{usage.prompt_tokens} input tokens"
    )
    price = f", ${usage.cost:.4f}" if usage.cost else ""
    return f"[{input_tokens}, {usage.completion_tokens} response tokens{price}]"
