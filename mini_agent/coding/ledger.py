"""What a session has cost so far."""

from __future__ import annotations

from dataclasses import dataclass

from mini_agent.coding.transcript.session import NOTHING_USED
from mini_agent.result import Usage


@dataclass
class Ledger:
    """Tokens and price of all that was asked, and of the conversation's newest question alone."""

    total: Usage = NOTHING_USED
    newest: Usage = NOTHING_USED

    def add(self, usage: Usage) -> None:
        """One more reply in the conversation."""
        self.newest = usage
        self.add_aside(usage)

    def add_aside(self, usage: Usage) -> None:
        """One more beside it: to an agent, about a page, for a summary."""
        self.total = self.total.plus(usage)


def token_line(usage: Usage) -> str:
    """One reply in the seed's words: what the cache had is told apart; the price where known."""
    further = usage.prompt_tokens - usage.cached_tokens
    asked = (
        f"{usage.cached_tokens} cached input tokens, {further} further input tokens"
        if usage.cached_tokens
        else f"{usage.prompt_tokens} input tokens"
    )
    price = f", ${usage.cost:.4f}" if usage.cost else ""
    return f"[{asked}, {usage.completion_tokens} response tokens{price}]"
