"""The part of the conversation that the model is shown: what matters most, within its room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mini_agent.agent.message_size import chars_of, tokens_of
from mini_agent.agent.normalize import INSTRUCTING
from mini_agent.messages import Message, system

SHORTEST_CLIP: Final = 400
CLIPPED: Final = "\n[... cut to fit the context ...]\n"

Group = Sequence[tuple[int, Message]]


@dataclass(frozen=True, slots=True)
class Room:
    """What a request may hold; None means that there is no such limit."""

    messages: int
    chars: int | None = None
    tokens: int | None = None

    def less(self, group: Sequence[Message]) -> Room:
        """What is left of it beside `group`."""
        return replace(
            self,
            messages=self.messages - len(group),
            chars=None if self.chars is None else self.chars - sum(map(chars_of, group)),
            tokens=None if self.tokens is None else self.tokens - sum(map(tokens_of, group)),
        )

    @property
    def is_overfull(self) -> bool:
        """Whether more is in it than it holds."""
        limits = (self.messages, self.chars, self.tokens)
        return any(left is not None and left < 0 for left in limits)


def fitted(numbered: Group, pinned: frozenset[int], room: Room) -> list[Message]:
    """The pinned messages and the newest others that fit into `room`, in their order.

    Calls and their answers stay together. The newest group is kept in any case; if it does not
    fit, the texts of its tools are clipped.
    """
    # INVARIANT: pinned messages count for their size, never for their number.
    fixed = [message for index, message in numbered if index in pinned]
    left = replace(room.less(fixed), messages=room.messages)
    *older, newest = [*groups_of([each for each in numbered if each[0] not in pinned])] or [[]]
    kept = {index: message for index, message in numbered if index in pinned}
    kept.update(_clipped_to(newest, left))
    left = left.less([message for index, message in newest])
    for group in reversed(older):
        left = left.less([message for _, message in group])
        if left.is_overfull:
            break
        kept.update(group)
    return [kept[index] for index in sorted(kept)]


def groups_of(numbered: Sequence[tuple[int, Message]]) -> Iterator[list[tuple[int, Message]]]:
    """The messages in groups that must not be torn: calls with their answers, any other alone."""
    group: list[tuple[int, Message]] = []
    for index, message in numbered:
        if group and message["role"] != "tool":
            yield group
            group = []
        group.append((index, message))
    if group:
        yield group


def with_addenda(messages: Sequence[Message], addenda: Sequence[str]) -> list[Message]:
    """`messages` with `addenda` below the instructions, which templates want first and once."""
    added = "\n\n".join(text for text in addenda if text)
    if not added:
        return list(messages)
    first = messages[0] if messages else system("")
    text = first.get("content")
    if first["role"] in INSTRUCTING and isinstance(text, str):
        return [{**first, "content": f"{text}\n\n{added}"}, *messages[1:]]
    return [system(added), *messages]


def _clipped_to(group: Group, room: Room) -> Group:
    """`group`, its tools' texts clipped to equal parts where it is larger than `room`."""
    answers = [message for _, message in group if message["role"] == "tool"]
    rest = room.less([message for _, message in group if message["role"] != "tool"])
    if not answers or not room.less([message for _, message in group]).is_overfull:
        return group
    # A token is at least a character, mostly three: enough to come below the limit of tokens.
    limits = [limit for limit in (rest.chars, rest.tokens) if limit is not None]
    share = max(SHORTEST_CLIP, min(limits, default=SHORTEST_CLIP) // len(answers))
    return [(index, _clipped(message, share)) for index, message in group]


def _clipped(message: Message, limit: int) -> Message:
    text = message["content"]
    if message["role"] != "tool" or not isinstance(text, str) or len(text) <= limit:
        return message
    half = (limit - len(CLIPPED)) // 2
    return {**message, "content": f"{text[:half]}{CLIPPED}{text[-half:]}"}
