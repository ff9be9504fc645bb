"""What the model is shown of a run: the transcript, as far as there is room for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from mini_agent.agent.context_window import (
    Room,
    fitted,
    groups_of,
    with_addenda,
)
from mini_agent.agent.message_size import estimated_tokens, tokens_of, tokens_of_tools
from mini_agent.agent.summary import digest_of
from mini_agent.agent.transcript import Transcript
from mini_agent.config import AgentConfig
from mini_agent.messages import Message
from mini_agent.model import context_tokens
from mini_agent.tools.invoker import Tool

# Of a model's context this part, at most so many tokens, is kept free for its reply.
REPLY_PART: Final = 4
REPLY_TOKENS: Final = 2048


class Shown:
    """The window on `transcript` that each request is made from; only ever gets smaller."""

    def __init__(self, transcript: Transcript, config: AgentConfig) -> None:
        self._transcript = transcript
        self._tokens = _tokens_for_messages(config)
        self._room = Room(config.max_history_messages, config.hard_char_budget)
        self._digest = ""
        self._summarized = 0

    def messages(self, tools: Sequence[Tool], addenda: Sequence[str] = ()) -> list[Message]:
        """The messages of the next request; `addenda` go below the instructions."""
        added = (self._digest, *addenda)
        beside = tokens_of_tools(tools) + sum(map(estimated_tokens, added))
        tokens = None if self._tokens is None else max(0, self._tokens - beside)
        pinned = self._transcript.pinned
        current = [
            (index, message)
            for index, message in enumerate(self._transcript.copy())
            if index >= self._summarized or index in pinned
        ]
        return with_addenda(fitted(current, pinned, replace(self._room, tokens=tokens)), added)

    def shrink(self, refused: Sequence[Message]) -> None:
        """Makes room for half of `refused`, which the server said was too long."""
        self._tokens = sum(map(tokens_of, refused)) // 2

    def summarize(self) -> None:
        """From now on a digest stands for all but the newest messages."""
        pinned = self._transcript.pinned
        others = [
            (index, message)
            for index, message in enumerate(self._transcript.copy())
            if index not in pinned
        ]
        *older, newest = [*groups_of(others)] or [[]]
        self._digest = digest_of([message for group in older for _, message in group])
        self._summarized = newest[0][0] if newest else 0


def _tokens_for_messages(config: AgentConfig) -> int | None:
    whole = context_tokens(config.model, config.num_ctx)
    if whole is None:
        return None
    asked = _whole_number(config.completion_kwargs.get("max_tokens"))
    return max(0, whole - min(asked or REPLY_TOKENS, whole // REPLY_PART))


def _whole_number(value: JsonValue) -> int:
    return value if isinstance(value, int) and value > 0 else 0
