"""A digest of the older turns of a run, made without a model, for the top of the conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mini_agent.messages import Message

HEADING: Final = "[Context Summary] What happened before the messages below, in short:"
LINE_CHARS: Final = 160
ALL_CHARS: Final = 2000


def digest_of(messages: Sequence[Message]) -> str:
    """One line for each message, the newest ones when there are too many; empty for none."""
    kept: list[str] = []
    room = ALL_CHARS
    for line in reversed([line for message in messages for line in _lines(message)]):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join((HEADING, *reversed(kept))) if kept else ""


def _lines(message: Message) -> Iterator[str]:
    content, calls = message.get("content"), message.get("tool_calls")
    role = message["role"]
    if isinstance(content, str) and content.strip():
        who = {"assistant": "you said", "tool": "it answered"}.get(str(role), "you were told")
        yield f"- {who}: {_short(content)}"
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield f"- you called {function.get('name')}: {_short(str(function.get('arguments')))}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE_CHARS else f"{line[: LINE_CHARS - 4]} ..."
