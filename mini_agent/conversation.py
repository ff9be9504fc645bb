"""The conversation a caller hands in: checked, and put into the form a model server takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message, encodable, function_call, json_object, user

ROLES: Final = ("system", "developer", "user", "assistant", "tool")
INSTRUCTING: Final = ("system", "developer")
CARRY_ON: Final = "Continue."


def checked(messages: Sequence[Mapping[str, JsonValue]]) -> list[Message]:
    """A copy of `messages` that a model server takes; `BadRequest` names what it cannot take.

    Assistant messages in a row become one, and one at the end is followed by "Continue.":
    a model answers someone else's turn, never its own.
    """
    if not isinstance(messages, Sequence) or not messages:
        raise _bad("messages", "must be a list of at least one message")
    taken: list[Message] = []
    for index, given in enumerate(messages):
        _append(taken, _message(f"messages[{index}]", given))
    _require_every_call_answered(taken)
    if taken[-1]["role"] == "assistant":
        taken.append(user(CARRY_ON))
    return taken


def has_instructions(messages: Sequence[Message]) -> bool:
    """Whether there is a system message among them."""
    return any(message["role"] in INSTRUCTING for message in messages)


def _message(field: str, given: Mapping[str, JsonValue]) -> Message:
    if not isinstance(given, Mapping):
        raise _bad(field, f"must be an object with role and content, not {given!r:.80}")
    role = given.get("role")
    if role not in ROLES:
        raise _bad(f"{field}.role", f"is {role!r:.80}; known roles: {', '.join(ROLES)}")
    message: Message = dict(given)
    if role == "assistant" and given.get("tool_calls"):
        message["tool_calls"] = _calls(f"{field}.tool_calls", given["tool_calls"])
        message["content"] = given.get("content") or ""
    else:
        message.pop("tool_calls", None)
    message["content"] = _content(f"{field}.content", message.get("content"))
    if role == "tool" and not isinstance(given.get("tool_call_id"), str):
        raise _bad(f"{field}.tool_call_id", "must name the call that this message answers")
    return message


def _content(field: str, content: JsonValue) -> JsonValue:
    if isinstance(content, str):
        return encodable(content)
    if not isinstance(content, list):
        raise _bad(field, f"must be text or a list of parts, not {content!r:.80}")
    for index, part in enumerate(content):
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise _bad(f"{field}[{index}]", f"must be an object with a type, not {part!r:.80}")
    return content


def _calls(field: str, calls: JsonValue) -> list[JsonValue]:
    if not isinstance(calls, list):
        raise _bad(field, f"must be a list, not {calls!r:.80}")
    return [_call(f"{field}[{index}]", call) for index, call in enumerate(calls)]


def _call(field: str, call: JsonValue) -> JsonObject:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        raise _bad(field, f"must be an object with id and function, not {call!r:.80}")
    call_id, name = call.get("id"), function.get("name")
    if not isinstance(call_id, str) or not call_id:
        raise _bad(f"{field}.id", f"must be text, not {call_id!r:.80}")
    if not isinstance(name, str) or not name:
        raise _bad(f"{field}.function.name", f"must be text, not {name!r:.80}")
    arguments = _arguments(f"{field}.function.arguments", function.get("arguments"))
    return function_call(call_id, name, arguments)


def _arguments(field: str, arguments: JsonValue) -> JsonObject:
    try:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return json_object(text or "{}")
    except (TypeError, ValueError) as wrong:
        raise _bad(field, f"is not a JSON object: {wrong}") from None


def _append(taken: list[Message], message: Message) -> None:
    last = taken[-1] if taken else {}
    in_a_row = last.get("role") == message["role"] == "assistant" and "tool_calls" not in last
    if not in_a_row:
        taken.append(message)
        return
    said, more = last["content"], message["content"]
    if isinstance(said, str) and isinstance(more, str):
        message["content"] = "\n\n".join(text for text in (said, more) if text)
    else:
        message["content"] = [*_parts(said), *_parts(more)]
    taken[-1] = message


def _parts(content: JsonValue) -> list[JsonValue]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _require_every_call_answered(messages: Sequence[Message]) -> None:
    # INVARIANT: tool messages stand right behind the calls they answer, each call answered once.
    open_ids: list[JsonValue] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            call_id = message["tool_call_id"]
            if call_id not in open_ids:
                raise _bad(
                    f"messages[{index}].tool_call_id",
                    f"{call_id!r:.80} answers no call of the assistant message before it",
                )
            open_ids.remove(call_id)
            continue
        _require_none_open(open_ids)
        open_ids = _call_ids(message)
    _require_none_open(open_ids)


def _require_none_open(open_ids: Sequence[JsonValue]) -> None:
    if open_ids:
        raise _bad("messages", f"the tool call {open_ids[0]!r:.80} has no tool message")


def _call_ids(message: Message) -> list[JsonValue]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return []
    return [call["id"] for call in calls if isinstance(call, dict)]


def _bad(field: str, what: str) -> BadRequest:
    return BadRequest(f"{field} {what}", field=field)
