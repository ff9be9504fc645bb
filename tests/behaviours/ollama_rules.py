"""Requests as Ollama gets them, in the form that the rules of transcripts are written for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count

from mini_agent.testing.replies import JsonObject, JsonValue
from mini_agent.testing.transcript_rules import broken_request_rules


def broken_ollama_rules(messages: Sequence[JsonObject]) -> list[str]:
    """What is wrong with a request to `/api/chat`: there, answers follow their calls in order."""
    numbers, open_ids = count(1), list[str]()
    converted: list[JsonObject] = []
    for message in messages:
        if message.get("role") == "tool":
            answered = open_ids.pop(0) if open_ids else ""
            converted.append({**message, "tool_call_id": answered})
            continue
        calls = message.get("tool_calls")
        named = [_named(each, f"call-{next(numbers)}") for each in _list(calls)]
        open_ids = [str(each["id"]) for each in named]
        converted.append({**message, **({"tool_calls": [*named]} if named else {})})
    return broken_request_rules(converted)


def _named(call: JsonValue, call_id: str) -> JsonObject:
    assert isinstance(call, dict)
    function = call["function"]
    assert isinstance(function, dict)
    arguments = json.dumps(function["arguments"])
    return {"id": call_id, "type": "function", "function": {**function, "arguments": arguments}}


def _list(calls: JsonValue) -> list[JsonValue]:
    return calls if isinstance(calls, list) else []
