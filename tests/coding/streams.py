"""Streams in OpenAI's format, as odd servers write them."""

from __future__ import annotations

import json

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.testing import garbage
from mini_agent.testing.replies import ScriptedReply

DONE = "data: [DONE]\n\n"


def chunk(delta: JsonObject, finish: str | None = None) -> str:
    """One event of a stream."""
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'id': 'c', 'model': 'm', 'choices': [choice]})}\n\n"


def call_chunk(name: str, arguments: str, **more: JsonValue) -> str:
    """One event with one tool call."""
    function: JsonObject = {"name": name, "arguments": arguments}
    return chunk({"tool_calls": [{**more, "function": function}]})


def stream(*chunks: str, ends: bool = True, media_type: str = "text/event-stream") -> ScriptedReply:
    """A stream of these events; one that does not end is closed after the last of them."""
    return garbage("".join((*chunks, DONE if ends else "")), media_type=media_type)
