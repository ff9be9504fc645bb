"""What the model is shown of a run: the transcript, as far as there is room for it.

The part of the conversation that the model is shown: what matters most, within its room.

How much room messages take: characters counted, tokens estimated.

A digest of the older turns of a run, made without a model, for the top of the conversation.
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

# What code and English come to with the vocabularies of small models; other scripts take more.
ASCII_CHARS_PER_TOKEN: Final = 3.2
TOKENS_PER_MESSAGE: Final = 6
IMAGE_CHARS: Final = 3000


def count_chars(message: Message) -> int:
    """The characters of a message, its calls included; a picture counts like a page of text."""
    return sum(len(text) for text in _texts(message))


def estimate_message_tokens(message: Message) -> int:
    """An estimate of the message's tokens, rather too high than too low."""
    return TOKENS_PER_MESSAGE + sum(estimate_tokens(text) for text in _texts(message))


@dataclass(slots=True)
class TokenCounter:
    """Estimates the tokens of a text that comes in pieces."""

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
    """An estimate of the tokens in `text`."""
    counter = TokenCounter()
    counter.add(text)
    return counter.tokens


def estimate_tokens_for_size(size: int) -> int:
    """An estimate of the tokens in a file of so many bytes, as if it were all ASCII."""
    return round(size / ASCII_CHARS_PER_TOKEN)


def estimate_tool_tokens(tools: Iterable[JsonValue]) -> int:
    """An estimate of what the tools' schemas take."""
    return sum(estimate_tokens(json.dumps(tool)) for tool in tools)


def _texts(message: Message) -> Iterable[str]:
    content, calls = message.get("content"), message.get("tool_calls")
    for part in content if isinstance(content, list) else [content]:
        yield _text(part)
    for call in calls if isinstance(calls, list) else []:
        yield json.dumps(call)


def _text(part: JsonValue) -> str:
    if isinstance(part, dict):
        text = part.get("text")
        return text if isinstance(text, str) else " " * IMAGE_CHARS
    return part if isinstance(part, str) else ""


MIN_CLIP_CHARS: Final = 400
CLIP_MARKER: Final = "\n[... cut to fit the context ...]\n"

NumberedMessages = Sequence[tuple[int, Message]]


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """What a request may hold; None means that there is no such limit."""

    messages: int
    chars: int | None = None
    tokens: int | None = None

    def less(self, group: Sequence[Message]) -> ContextBudget:
        """What is left of it beside `group`."""
        return replace(
            self,
            messages=self.messages - len(group),
            chars=None if self.chars is None else self.chars - sum(map(count_chars, group)),
            tokens=None
            if self.tokens is None
            else self.tokens - sum(map(estimate_message_tokens, group)),
        )

    @property
    def is_overfull(self) -> bool:
        """Whether more is in it than it holds."""
        limits = (self.messages, self.chars, self.tokens)
        return any(left is not None and left < 0 for left in limits)


def fit_messages(
    numbered: NumberedMessages, pinned: frozenset[int], room: ContextBudget
) -> list[Message]:
    """The pinned messages and the newest others that fit into `room`, in their order.

    Calls and their answers stay together. The newest group is kept in any case; if it does not
    fit, the texts of its tools are clipped.
    """
    # INVARIANT: pinned messages count for their size, never for their number.
    fixed = [message for index, message in numbered if index in pinned]
    left = replace(room.less(fixed), messages=room.messages)
    *older, newest = [*group_messages([each for each in numbered if each[0] not in pinned])] or [[]]
    kept = {index: message for index, message in numbered if index in pinned}
    kept.update(_clip_group(newest, left))
    left = left.less([message for index, message in newest])
    for group in reversed(older):
        left = left.less([message for _, message in group])
        if left.is_overfull:
            break
        kept.update(group)
    return [kept[index] for index in sorted(kept)]


def group_messages(numbered: Sequence[tuple[int, Message]]) -> Iterator[list[tuple[int, Message]]]:
    """The messages in groups that must not be torn: calls with their answers, any other alone."""
    group: list[tuple[int, Message]] = []
    for index, message in numbered:
        if group and message["role"] != "tool":
            yield group
            group = []
        group.append((index, message))
    if group:
        yield group


def append_instructions(messages: Sequence[Message], addenda: Sequence[str]) -> list[Message]:
    """`messages` with `addenda` below the instructions, which templates want first and once."""
    added = "\n\n".join(text for text in addenda if text)
    if not added:
        return list(messages)
    first = messages[0] if messages else system("")
    text = first.get("content")
    if first["role"] in INSTRUCTION_ROLES and isinstance(text, str):
        return [{**first, "content": f"{text}\n\n{added}"}, *messages[1:]]
    return [system(added), *messages]


def _clip_group(group: NumberedMessages, room: ContextBudget) -> NumberedMessages:
    """`group`, its tools' texts clipped to equal parts where it is larger than `room`."""
    answers = [message for _, message in group if message["role"] == "tool"]
    rest = room.less([message for _, message in group if message["role"] != "tool"])
    if not answers or not room.less([message for _, message in group]).is_overfull:
        return group
    # A token is at least a character, mostly three: enough to come below the limit of tokens.
    limits = [limit for limit in (rest.chars, rest.tokens) if limit is not None]
    share = max(MIN_CLIP_CHARS, min(limits, default=MIN_CLIP_CHARS) // len(answers))
    return [(index, _clip_message(message, share)) for index, message in group]


def _clip_message(message: Message, limit: int) -> Message:
    text = message["content"]
    if message["role"] != "tool" or not isinstance(text, str) or len(text) <= limit:
        return message
    half = (limit - len(CLIP_MARKER)) // 2
    return {**message, "content": f"{text[:half]}{CLIP_MARKER}{text[-half:]}"}


SUMMARY_HEADING: Final = "[Context Summary] What happened before the messages below, in short:"
MAX_LINE_CHARS: Final = 160
MAX_SUMMARY_CHARS: Final = 2000


def summarize_messages(messages: Sequence[Message]) -> str:
    """One line for each message, the newest ones when there are too many; empty for none."""
    kept: list[str] = []
    room = MAX_SUMMARY_CHARS
    for line in reversed([line for message in messages for line in _summary_lines(message)]):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join((SUMMARY_HEADING, *reversed(kept))) if kept else ""


def _summary_lines(message: Message) -> Iterator[str]:
    content, calls = message.get("content"), message.get("tool_calls")
    role = message["role"]
    if isinstance(content, str) and content.strip():
        who = {"assistant": "you said", "tool": "it answered"}.get(str(role), "you were told")
        yield f"- {who}: {_truncate_line(content)}"
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield f"- you called {function.get('name')}: {_truncate_line(str(function.get('arguments')))}"


def _truncate_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LINE_CHARS else f"{line[: MAX_LINE_CHARS - 4]} ..."


# Of a model's context this part, at most so many tokens, is kept free for its reply.
REPLY_DIVISOR: Final = 4
MAX_REPLY_TOKENS: Final = 2048


class ContextWindow:
    """The window on `transcript` that each request is made from; only ever gets smaller."""

    def __init__(self, transcript: Transcript, config: AgentConfig) -> None:
        self._transcript = transcript
        self._tokens = _max_message_tokens(config)
        self._room = ContextBudget(config.max_history_messages, config.hard_char_budget)
        self._digest = ""
        self._summarized = 0

    def messages(self, tools: Sequence[Tool], addenda: Sequence[str] = ()) -> list[Message]:
        """The messages of the next request; `addenda` go below the instructions."""
        added = (self._digest, *addenda)
        beside = estimate_tool_tokens(tools) + sum(map(estimate_tokens, added))
        tokens = None if self._tokens is None else max(0, self._tokens - beside)
        pinned = self._transcript.pinned
        current = [
            (index, message)
            for index, message in enumerate(self._transcript.copy())
            if index >= self._summarized or index in pinned
        ]
        return append_instructions(
            fit_messages(current, pinned, replace(self._room, tokens=tokens)), added
        )

    def shrink(self, refused: Sequence[Message]) -> None:
        """Makes room for half of `refused`, which the server said was too long."""
        self._tokens = sum(map(estimate_message_tokens, refused)) // 2

    def summarize(self) -> None:
        """From now on a digest stands for all but the newest messages."""
        pinned = self._transcript.pinned
        others = [
            (index, message)
            for index, message in enumerate(self._transcript.copy())
            if index not in pinned
        ]
        *older, newest = [*group_messages(others)] or [[]]
        self._digest = summarize_messages([message for group in older for _, message in group])
        self._summarized = newest[0][0] if newest else 0


def _max_message_tokens(config: AgentConfig) -> int | None:
    whole = context_tokens(config.model, config.num_ctx)
    if whole is None:
        return None
    asked = _positive_int(config.completion_kwargs.get("max_tokens"))
    return max(0, whole - min(asked or MAX_REPLY_TOKENS, whole // REPLY_DIVISOR))


def _positive_int(value: JsonValue) -> int:
    return value if isinstance(value, int) and value > 0 else 0
