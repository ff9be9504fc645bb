"""Checks the messages of the caller and puts them into the form that a model server takes."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from mini_agent.errors import BadRequest
from mini_agent.messages import (
    JsonObject,
    Message,
    function_call,
    parse_json_object,
    replace_surrogates,
    tool_result,
    user,
)

ROLES: Final = ("system", "developer", "user", "assistant", "tool")
ROLE_ALIASES: Final = MappingProxyType(
    {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}
)
INSTRUCTION_ROLES: Final = ("system", "developer")
CONTINUE: Final = "Continue."
NO_OUTPUT: Final = "(no output)"
MISSING_RESULT: Final = "(there is no record of what came of this call)"
ORPHAN_HEADING: Final = "Output of an earlier tool call:"


def normalize_messages(messages: Sequence[Mapping[str, JsonValue]]) -> list[Message]:
    """Returns a copy of `messages` that a model server takes.

    Repairs other names of roles, calls without an id or a result, results without a call, and
    assistant messages without text (left out) or in a row (joined). Adds "Continue." after an
    assistant message at the end, since a model does not answer its own turn. Raises `BadRequest`,
    which names the field, for what cannot be repaired.
    """
    if not isinstance(messages, Sequence) or not messages:
        raise _bad_request("messages", "must be a list of at least one message")
    checked = [_normalize_message(f"messages[{n}]", each) for n, each in enumerate(messages)]
    normalized: list[Message] = []
    for message in pair_tool_calls(checked):
        _append(normalized, message)
    if not any(message["role"] in ("user", "tool") for message in normalized) or (
        normalized[-1]["role"] == "assistant"
    ):
        normalized.append(user(CONTINUE))
    return normalized


def has_instructions(messages: Sequence[Message]) -> bool:
    """Tells whether there is a system message among `messages`."""
    return any(message["role"] in INSTRUCTION_ROLES for message in messages)


def unused_id(requested: str, used: Container[JsonValue]) -> str:
    """Returns `requested`, or an id like it where it is empty or `used`."""
    candidate = requested
    numbered = (f"{requested or 'call'}_{number}" for number in count(1))
    while not candidate or candidate in used:
        candidate = next(numbered)
    return candidate


def _normalize_message(field: str, message: Mapping[str, JsonValue]) -> Message:
    if not isinstance(message, Mapping):
        raise _bad_request(field, f"must be an object with role and content, not {message!r:.80}")
    role = _normalize_role(f"{field}.role", message.get("role"))
    normalized: Message = {**message, "role": role}
    calls = _normalize_calls(field, normalized) if role == "assistant" else []
    for key in ("tool_calls", "function_call", "refusal", "annotations", "audio"):
        normalized.pop(key, None)
    if calls:
        normalized["tool_calls"] = calls
    content = normalized.get("content")
    if role == "assistant":
        content = content or normalized.get("refusal") or ""
    elif role == "tool":
        content = _tool_content(content)
    normalized["content"] = _check_content(f"{field}.content", content)
    return normalized


def _normalize_role(field: str, role: JsonValue) -> str:
    lower = role.strip().lower() if isinstance(role, str) else ""
    known = ROLE_ALIASES.get(lower, lower)
    if known not in ROLES:
        raise _bad_request(field, f"is {role!r:.80}; known roles: {', '.join(ROLES)}")
    return known


def _check_content(field: str, content: JsonValue) -> JsonValue:
    if isinstance(content, str):
        return replace_surrogates(content)
    if not isinstance(content, list):
        raise _bad_request(field, f"must be text or a list of parts, not {content!r:.80}")
    for index, part in enumerate(content):
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise _bad_request(
                f"{field}[{index}]", f"must be an object with a type, not {part!r:.80}"
            )
    return [_refusal_to_text(part) for part in content]


# OpenAI's answers have such parts; other servers know text only.
def _refusal_to_text(part: JsonValue) -> JsonValue:
    if isinstance(part, dict) and part.get("type") == "refusal":
        return {"type": "text", "text": part.get("refusal")}
    return part


# A tool's result may be any value, but a server takes text.
def _tool_content(content: JsonValue) -> JsonValue:
    is_parts = isinstance(content, list) and all(
        isinstance(part, dict) and "type" in part for part in content
    )
    if content in (None, "", []):
        return NO_OUTPUT
    return content if isinstance(content, str) or is_parts else json.dumps(content)


def _normalize_calls(field: str, message: Message) -> list[JsonValue]:
    calls, legacy = message.get("tool_calls"), message.get("function_call")
    if calls:
        if not isinstance(calls, list):
            raise _bad_request(f"{field}.tool_calls", f"must be a list, not {calls!r:.80}")
        return [
            _normalize_call(f"{field}.tool_calls[{index}]", call)
            for index, call in enumerate(calls)
        ]
    return [_normalize_call(f"{field}.function_call", {"function": legacy})] if legacy else []


def _normalize_call(field: str, call: JsonValue) -> JsonObject:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        raise _bad_request(field, f"must be an object with id and function, not {call!r:.80}")
    call_id, name = call.get("id") or "", function.get("name")
    if not isinstance(call_id, str):
        raise _bad_request(f"{field}.id", f"must be text, not {call_id!r:.80}")
    if not isinstance(name, str) or not name:
        raise _bad_request(f"{field}.function.name", f"must be text, not {name!r:.80}")
    arguments = _parse_arguments(f"{field}.function.arguments", function.get("arguments"))
    return function_call(call_id, name, arguments)


def _parse_arguments(field: str, arguments: JsonValue) -> JsonObject:
    try:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
        return parse_json_object(text.strip() or "{}")
    except (TypeError, ValueError) as wrong:
        raise _bad_request(field, f"is not a JSON object: {wrong}") from None


def pair_tool_calls(messages: Sequence[Message]) -> Iterator[Message]:
    """Yields `messages` with every call followed by its one result.

    A call without a result gets one that says so; a result without a call becomes a message of the
    user. Raises `BadRequest`, which names the field, for a result that may belong to several calls.
    """
    # INVARIANT: results are read right after their calls, in any order, one for each call.
    pairs = _CallPairs()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            yield pairs.match_result(message, f"messages[{index}].tool_call_id")
            continue
        yield from pairs.missing_results()
        yield pairs.open_calls(message) if "tool_calls" in message else message
    yield from pairs.missing_results()


@dataclass(slots=True)
class _CallPairs:
    # The caller's id of each open call, and the unique one.
    _open: list[tuple[str, str]] = field(default_factory=list)

    def open_calls(self, message: Message) -> Message:
        calls = message["tool_calls"]
        opened = [self._open_call(call) for call in calls] if isinstance(calls, list) else []
        return {**message, "tool_calls": opened}

    def _open_call(self, call: JsonValue) -> JsonValue:
        if not isinstance(call, dict):
            return call
        call_id = str(call.get("id") or "")
        unique_id = unused_id(call_id, [unique for _, unique in self._open])
        self._open.append((call_id, unique_id))
        return {**call, "id": unique_id}

    def match_result(self, message: Message, where: str) -> Message:
        call_id = message.get("tool_call_id") or ""
        if not self._open:
            return _orphan_message(message)
        matching = [pair for pair in self._open if pair[0] == call_id]
        if not (matching or len(self._open) == 1 or not call_id):
            raise BadRequest(
                f"{where} {call_id!r:.80} answers none of the calls before it, and they are "
                "several",
                field=where,
            )
        pair = (matching or self._open)[0]
        self._open.remove(pair)
        return {**message, "tool_call_id": pair[1]}

    def missing_results(self) -> Iterator[Message]:
        while self._open:
            yield tool_result(self._open.pop(0)[1], MISSING_RESULT)


def _orphan_message(message: Message) -> Message:
    content = message["content"]
    if isinstance(content, list):
        return {"role": "user", "content": [{"type": "text", "text": ORPHAN_HEADING}, *content]}
    return user(f"{ORPHAN_HEADING}\n{content}")


def _append(messages: list[Message], message: Message) -> None:
    if message["role"] == "assistant" and not message["content"] and "tool_calls" not in message:
        return
    last = messages[-1] if messages else {}
    in_a_row = last.get("role") == message["role"] == "assistant" and "tool_calls" not in last
    if not in_a_row:
        messages.append(message)
        return
    earlier, later = last["content"], message["content"]
    if isinstance(earlier, str) and isinstance(later, str):
        message["content"] = "\n\n".join(text for text in (earlier, later) if text)
    else:
        message["content"] = [*_parts(earlier), *_parts(later)]
    messages[-1] = message


def _parts(content: JsonValue) -> list[JsonValue]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _bad_request(field: str, what: str) -> BadRequest:
    return BadRequest(f"{field} {what}", field=field)
