"""Messages as spans have them where their content is wanted: a role and its parts, in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from mini_agent.messages import JsonObject, Message, encodable
from mini_agent.model import ModelReply


def messages_in_parts(messages: Sequence[Message]) -> str:
    """What a model is shown."""
    told: list[JsonValue] = [
        {"role": message.get("role"), "parts": list(_parts(message))} for message in messages
    ]
    return plain_json(told)


def reply_in_parts(reply: ModelReply) -> str:
    """What a model said."""
    thought: list[JsonValue] = [{"type": "reasoning", "content": reply.reasoning}]
    said: list[JsonValue] = [{"type": "text", "content": reply.text}]
    parts: list[JsonValue] = [*(thought if reply.reasoning else []), *(said if reply.text else [])]
    parts += [_call(call.id, call.name, call.arguments) for call in reply.tool_calls]
    told: JsonObject = {
        "role": "assistant",
        "parts": parts,
        "finish_reason": reply.finish_reason,
    }
    return plain_json([told])


def plain_json(value: JsonValue) -> str:
    """Text as it is, all else as JSON."""
    return encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _parts(message: Message) -> Iterator[JsonValue]:
    content, calls = message.get("content"), message.get("tool_calls")
    if message.get("role") == "tool":
        yield {
            "type": "tool_call_response",
            "id": message.get("tool_call_id"),
            "response": content,
        }
    elif isinstance(content, list):
        yield from content
    elif content:
        yield {"type": "text", "content": content}
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(function := call.get("function"), dict):
            yield _call(call.get("id"), function.get("name"), function.get("arguments"))


def _call(call_id: JsonValue, name: JsonValue, arguments: JsonValue) -> JsonObject:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
