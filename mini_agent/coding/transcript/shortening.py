"""Shortens messages whose texts are too long for a model's context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import Message

MIN_TEXT_CHARS: Final = 400
MARKER: Final = "\n[... {count} characters were cut to fit the context ...]\n"


def shorten_messages(messages: Sequence[Message], max_chars: int) -> list[Message]:
    """Return the messages with `max_chars` characters at most, pictures left out.

    The longest texts are cut in the middle; where that is not enough, the oldest messages go.
    """
    limit = find_limit([len(_text(message)) for message in messages], max_chars)
    shortened = [{**message, "content": cut_text(_text(message), limit)} for message in messages]
    total = sum(len(_text(message)) for message in shortened)
    while len(shortened) > 1 and total > max_chars:
        total -= len(_text(shortened.pop(0)))
    return shortened


def find_limit(sizes: Sequence[int], total: int) -> int:
    """Find the largest length, at least `MIN_TEXT_CHARS`, that gives `total` if all are cut to it.

    The sizes and the total are in characters.
    """
    low, high = MIN_TEXT_CHARS, max([MIN_TEXT_CHARS, *sizes])
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(size, middle) for size in sizes) <= total:
            low = middle
        else:
            high = middle - 1
    return low


def cut_text(text: str, limit: int) -> str:
    """Cut the middle out of a text that is longer than `limit`; the marker says how much."""
    if len(text) <= limit:
        return text
    marker = MARKER.format(count=len(text) - limit)
    half = max(0, limit - len(marker)) // 2
    return f"{text[:half]}{marker}{text[len(text) - half :]}"


def cut_results(messages: Iterable[Message], limits: Mapping[str, int]) -> list[Message]:
    """Return the messages with the results of calls cut to the limits of their call ids."""
    return [_cut_result(message, limits) for message in messages]


def halve_results(messages: Iterable[Message]) -> dict[str, int]:
    """Return limits, by call id, that halve the results together; none where all are short."""
    sizes = {
        str(message.get("tool_call_id")): len(_text(message))
        for message in messages
        if message["role"] == "tool"
    }
    limit = find_limit([*sizes.values()], sum(sizes.values()) // 2)
    return {call_id: limit for call_id, size in sizes.items() if size > limit}


def _cut_result(message: Message, limits: Mapping[str, int]) -> Message:
    limit = limits.get(str(message.get("tool_call_id")))
    content = message.get("content")
    if limit is None or message["role"] != "tool" or not isinstance(content, str):
        return message
    return {**message, "content": cut_text(content, limit)}


def _text(message: Message) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(filter(None, map(_part_text, content)))
    return content if isinstance(content, str) else ""


def _part_text(part: JsonValue) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""
