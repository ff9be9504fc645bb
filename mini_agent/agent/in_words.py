"""A conversation with calls, told without them, for servers that take neither tools nor calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from mini_agent.messages import Message, assistant, json_object, user


def in_words(messages: Sequence[Message]) -> list[Message]:
    """`messages` with calls written as `{"tool", "args"}` and what came of them as the user's."""
    told: list[Message] = []
    for message in _told(messages):
        last = told[-1] if told else {}
        said, more = last.get("content"), message["content"]
        in_a_row = last.get("role") == message["role"] == "user"
        if in_a_row and isinstance(said, str) and isinstance(more, str):
            told[-1] = user(f"{said}\n\n{more}")
        else:
            told.append(message)
    return told


def _told(messages: Sequence[Message]) -> Iterator[Message]:
    for message in messages:
        calls, content = message.get("tool_calls"), message["content"]
        if message["role"] == "tool":
            yield {"role": "user", "content": content}
        elif isinstance(calls, list):
            written = [_written(call) for call in calls if isinstance(call, dict)]
            text = content if isinstance(content, str) else ""
            yield assistant("\n".join(part for part in (text, *written) if part))
        else:
            yield message


def _written(call: dict[str, JsonValue]) -> str:
    function = call.get("function")
    if not isinstance(function, dict):
        return ""
    args = json_object(str(function.get("arguments")))
    return json.dumps({"tool": function.get("name"), "args": args}, ensure_ascii=False)
