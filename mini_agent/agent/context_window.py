"""The context window: what of a transcript the model is shown, within its budget of tokens.

Holds the estimate of tokens, the choice of messages that fit, and the digest of older turns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from mini_agent.agent.normalize import INSTRUCTION_ROLES
from mini_agent.agent.transcript import Transcript
from mini_agent.config import AgentConfig
from mini_agent.messages import Message, system
from mini_agent.model import context_tokens
from mini_agent.tools.invoker import Tool

# Measured for code and English with the vocabularies of small models; other scripts take more.
ASCII_CHARS_PER_TOKEN: Final = 3.2
TOKENS_PER_MESSAGE: Final = 6
IMAGE_CHARS: Final = 3000
MIN_CLIP_CHARS: Final = 400
CLIP_MARKER: Final = "\n[... cut to fit the context ...]\n"
SUMMARY_HEADING: Final = "[Context Summary] What happened before the messages below, in short:"
MAX_LINE_CHARS: Final = 160
MAX_SUMMARY_CHARS: Final = 2000
# One part in so many of a model's context, at most MAX_REPLY_TOKENS, is left for its reply.
REPLY_DIVISOR: Final = 4
MAX_REPLY_TOKENS: Final = 2048

NumberedMessages = Sequence[tuple[int, Message]]


class ContextWindow:
    """Selects from `transcript` the messages of each request; it only ever gets smaller."""

    def __init__(self, transcript: Transcript, config: AgentConfig) -> None:
        self._transcript = transcript
        self._max_tokens = _max_message_tokens(config)
        self._budget = ContextBudget(config.max_history_messages, config.hard_char_budget)
        self._summary = ""
        self._summarized = 0

    def messages(self, tools: Sequence[Tool], addenda: Sequence[str] = ()) -> list[Message]:
        """Selects the messages of the next request; `addenda` are put below the instructions."""
        added = (self._summary, *addenda)
        beside = estimate_tool_tokens(tools) + sum(map(estimate_tokens, added))
        tokens = None if self._max_tokens is None else max(0, self._max_tokens - beside)
        pinned = self._transcript.pinned
        current = [
            (index, message)
            for index, message in enumerate(self._transcript.copy())
            if index >= self._summarized or index in pinned
        ]
        budget = replace(self._budget, tokens=tokens)
        return append_instructions(fit_messages(current, pinned, budget), added)

    def shrink(self, refused: Sequence[Message]) -> None:
        """Halves the window after the server refused messages as too long."""
        self._max_tokens = sum(map(estimate_message_tokens, refused)) // 2

    def summarize(self) -> None:
        """Replaces all but the newest messages by a digest."""
        pinned = self._transcript.pinned
        others = [
            (index, message)
            for index, message in enumerate(self._transcript.copy())
            if index not in pinned
        ]
        *older, newest = [*group_messages(others)] or [[]]
        self._summary = summarize_messages([message for group in older for _, message in group])
        self._summarized = newest[0][0] if newest else 0


def _max_message_tokens(config: AgentConfig) -> int | None:
    total = context_tokens(config.model, config.num_ctx)
    if total is None:
        return None
    reply = _positive_int(config.completion_kwargs.get("max_tokens")) or MAX_REPLY_TOKENS
    return max(0, total - min(reply, total // REPLY_DIVISOR))


def _positive_int(value: JsonValue) -> int:
    return value if isinstance(value, int) and value > 0 else 0


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """What a request may hold; None means no limit."""

    messages: int
    chars: int | None = None
    tokens: int | None = None

    def minus(self, group: Sequence[Message]) -> ContextBudget:
        """Returns what is left of the budget beside `group`; it may be negative."""
        return replace(
            self,
            messages=self.messages - len(group),
            chars=None if self.chars is None else self.chars - sum(map(count_chars, group)),
            tokens=None
            if self.tokens is None
            else self.tokens - sum(map(estimate_message_tokens, group)),
        )

    @property
    def is_exceeded(self) -> bool:
        """Whether any limit is negative."""
        limits = (self.messages, self.chars, self.tokens)
        return any(left is not None and left < 0 for left in limits)


def fit_messages(
    numbered: NumberedMessages, pinned: frozenset[int], budget: ContextBudget
) -> list[Message]:
    """Selects the pinned messages and the newest others that fit into `budget`, in order.

    Calls and their results stay together. The newest group is kept in any case; the results in it
    are clipped if it does not fit.
    """
    # INVARIANT: pinned messages count for their size, never for their number.
    fixed = [message for index, message in numbered if index in pinned]
    left = replace(budget.minus(fixed), messages=budget.messages)
    *older, newest = [*group_messages([each for each in numbered if each[0] not in pinned])] or [[]]
    selected = {index: message for index, message in numbered if index in pinned}
    selected.update(_clip_group(newest, left))
    left = left.minus([message for _, message in newest])
    for group in reversed(older):
        left = left.minus([message for _, message in group])
        if left.is_exceeded:
            break
        selected.update(group)
    return [selected[index] for index in sorted(selected)]


def group_messages(numbered: NumberedMessages) -> Iterator[list[tuple[int, Message]]]:
    """Groups messages that must stay together: calls with their results, any other alone."""
    group: list[tuple[int, Message]] = []
    for index, message in numbered:
        if group and message["role"] != "tool":
            yield group
            group = []
        group.append((index, message))
    if group:
        yield group


def _clip_group(group: NumberedMessages, budget: ContextBudget) -> NumberedMessages:
    """Clips the results in `group` to equal parts where it exceeds `budget`."""
    results = [message for _, message in group if message["role"] == "tool"]
    rest = budget.minus([message for _, message in group if message["role"] != "tool"])
    if not results or not budget.minus([message for _, message in group]).is_exceeded:
        return group
    # A token has at least one character, so that this is enough for the limit of tokens, too.
    limits = [limit for limit in (rest.chars, rest.tokens) if limit is not None]
    share = max(MIN_CLIP_CHARS, min(limits, default=MIN_CLIP_CHARS) // len(results))
    return [(index, _clip_message(message, share)) for index, message in group]


def _clip_message(message: Message, limit: int) -> Message:
    text = message["content"]
    if message["role"] != "tool" or not isinstance(text, str) or len(text) <= limit:
        return message
    half = (limit - len(CLIP_MARKER)) // 2
    return {**message, "content": f"{text[:half]}{CLIP_MARKER}{text[-half:]}"}


def append_instructions(messages: Sequence[Message], addenda: Sequence[str]) -> list[Message]:
    """Puts `addenda` below the instructions: templates take one system message, the first."""
    added = "\n\n".join(text for text in addenda if text)
    if not added:
        return list(messages)
    first = messages[0] if messages else system("")
    text = first.get("content")
    if first["role"] in INSTRUCTION_ROLES and isinstance(text, str):
        return [{**first, "content": f"{text}\n\n{added}"}, *messages[1:]]
    return [system(added), *messages]


def summarize_messages(messages: Sequence[Message]) -> str:
    """Makes a digest without a model, a line for each message, the newest ones; may be empty."""
    selected: list[str] = []
    left = MAX_SUMMARY_CHARS
    for line in reversed([line for message in messages for line in _summary_lines(message)]):
        left -= len(line) + 1
        if left < 0:
            break
        selected.append(line)
    return "\n".join((SUMMARY_HEADING, *reversed(selected))) if selected else ""


def _summary_lines(message: Message) -> Iterator[str]:
    content, calls = message.get("content"), message.get("tool_calls")
    role = message["role"]
    if isinstance(content, str) and content.strip():
        who = {"assistant": "you said", "tool": "it answered"}.get(str(role), "you were told")
        yield f"- {who}: {_truncate_line(content)}"
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            arguments = _truncate_line(str(function.get("arguments")))
            yield f"- you called {function.get('name')}: {arguments}"


def _truncate_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LINE_CHARS else f"{line[: MAX_LINE_CHARS - 4]} ..."


@dataclass(slots=True)
class TokenCounter:
    """Estimates the tokens of a text that arrives in pieces."""

    ascii_chars: int = 0
    other_chars: int = 0

    def add(self, piece: str) -> None:
        """Counts one more piece."""
        plain = len(piece) if piece.isascii() else sum(each < "\x80" for each in piece)
        self.ascii_chars += plain
        self.other_chars += len(piece) - plain

    @property
    def tokens(self) -> int:
        """The estimate for all pieces together."""
        return estimate_tokens_for_size(self.ascii_chars) + self.other_chars


def estimate_tokens(text: str) -> int:
    """Estimates the tokens of `text`."""
    counter = TokenCounter()
    counter.add(text)
    return counter.tokens


def estimate_tokens_for_size(size: int) -> int:
    """Estimates the tokens of a file of `size` bytes, as if it were all ASCII."""
    return round(size / ASCII_CHARS_PER_TOKEN)


def estimate_tool_tokens(tools: Iterable[JsonValue]) -> int:
    """Estimates the tokens of the tools' schemas."""
    return sum(estimate_tokens(json.dumps(tool)) for tool in tools)


def estimate_message_tokens(message: Message) -> int:
    """Estimates the tokens of a message, rather too high than too low."""
    return TOKENS_PER_MESSAGE + sum(estimate_tokens(text) for text in _texts(message))


def count_chars(message: Message) -> int:
    """Counts the characters of a message, its calls included; an image counts as a page of text."""
    return sum(len(text) for text in _texts(message))


def _texts(message: Message) -> Iterable[str]:
    content, calls = message.get("content"), message.get("tool_calls")
    for part in content if isinstance(content, list) else [content]:
        yield _part_text(part)
    for call in calls if isinstance(calls, list) else []:
        yield json.dumps(call)


def _part_text(part: JsonValue) -> str:
    if isinstance(part, dict):
        text = part.get("text")
        return text if isinstance(text, str) else " " * IMAGE_CHARS
    return part if isinstance(part, str) else ""
