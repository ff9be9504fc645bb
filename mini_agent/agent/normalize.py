"""The conversation a caller hands in: checked, and put into the form a model server takes.

Tool calls and their answers in a conversation that someone hands in, made to go together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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

MISSING_RESULT: Final = "(there is no record of what came of this call)"
ORPHAN_HEADING: Final = "Output of an earlier tool call:"


def pair_tool_calls(messages: Sequence[Message]) -> Iterator[Message]:
    """`messages` with every call followed by its one answer.

    A call without an answer gets one that says so, an answer without a call becomes a message of
    the user. `BadRequest` names an answer that could belong to several calls.
    """
    # INVARIANT: answers stand right behind their calls, in any order, each call answered once.
    pairs = _CallPairs()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            yield pairs.answer(message, f"messages[{index}].tool_call_id")
            continue
        yield from pairs.missing_answers()
        yield pairs.opened(message) if "tool_calls" in message else message
    yield from pairs.missing_answers()


@dataclass(slots=True)
class _CallPairs:
    # The id each open call was handed in with, and the one it has now.
    _open: list[tuple[str, str]] = field(default_factory=list)

    def opened(self, message: Message) -> Message:
        calls = message["tool_calls"]
        renamed = [self._call(call) for call in calls] if isinstance(calls, list) else []
        return {**message, "tool_calls": renamed}

    def answer(self, message: Message, where: str) -> Message:
        wanted = message.get("tool_call_id") or ""
        if not self._open:
            return _orphan_message(message)
        matching = [pair for pair in self._open if pair[0] == wanted]
        if not (matching or len(self._open) == 1 or not wanted):
            raise BadRequest(
                f"{where} {wanted!r:.80} answers none of the calls before it, and they are several",
                field=where,
            )
        pair = (matching or self._open)[0]
        self._open.remove(pair)
        return {**message, "tool_call_id": pair[1]}

    def missing_answers(self) -> Iterator[Message]:
        while self._open:
            yield tool_result(self._open.pop(0)[1], MISSING_RESULT)

    def _call(self, call: JsonValue) -> JsonValue:
        if not isinstance(call, dict):
            return call
        wanted = str(call.get("id") or "")
        candidates = (f"{wanted or 'call'}_{number}" for number in count(1))
        unused = wanted
        while not unused or unused in (now for _, now in self._open):
            unused = next(candidates)
        self._open.append((wanted, unused))
        return {**call, "id": unused}


def _orphan_message(message: Message) -> Message:
    content = message["content"]
    if isinstance(content, list):
        return {"role": "user", "content": [{"type": "text", "text": ORPHAN_HEADING}, *content]}
    return user(f"{ORPHAN_HEADING}\n{content}")


ROLES: Final = ("system", "developer", "user", "assistant", "tool")
ROLE_ALIASES: Final = MappingProxyType(
    {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}
)
INSTRUCTION_ROLES: Final = ("system", "developer")
CONTINUE: Final = "Continue."
NO_OUTPUT: Final = "(no output)"


def normalize_messages(messages: Sequence[Mapping[str, JsonValue]]) -> list[Message]:
    """A copy of `messages` that a model server takes; `BadRequest` names what it cannot take.

    What is plainly meant is put right: other names of roles, calls without an id or an answer,
    answers without a call, assistant messages without text (left out) or in a row (made one).
    One at the end is followed by "Continue.": a model answers someone else's turn, never its own.
    """
    if not isinstance(messages, Sequence) or not messages:
        raise _bad_request("messages", "must be a list of at least one message")
    read = [_normalize_message(f"messages[{index}]", given) for index, given in enumerate(messages)]
    taken: list[Message] = []
    for message in pair_tool_calls(read):
        _append(taken, message)
    if not any(message["role"] in ("user", "tool") for message in taken) or (
        taken[-1]["role"] == "assistant"
    ):
        taken.append(user(CONTINUE))
    return taken


def has_instructions(messages: Sequence[Message]) -> bool:
    """Whether there is a system message among them."""
    return any(message["role"] in INSTRUCTION_ROLES for message in messages)


def _normalize_message(field: str, given: Mapping[str, JsonValue]) -> Message:
    if not isinstance(given, Mapping):
        raise _bad_request(field, f"must be an object with role and content, not {given!r:.80}")
    role = _normalize_role(f"{field}.role", given.get("role"))
    message: Message = {**given, "role": role}
    calls = _normalize_calls(field, message) if role == "assistant" else []
    for key in ("tool_calls", "function_call"):
        message.pop(key, None)
    if calls:
        message["tool_calls"] = calls
    content = message.get("content")
    if role == "assistant":
        content = content or ""
    elif role == "tool":
        content = _tool_content(content)
    message["content"] = _check_content(f"{field}.content", content)
    return message


def _normalize_role(field: str, role: JsonValue) -> str:
    plain = role.strip().lower() if isinstance(role, str) else ""
    meant = ROLE_ALIASES.get(plain, plain)
    if meant not in ROLES:
        raise _bad_request(field, f"is {role!r:.80}; known roles: {', '.join(ROLES)}")
    return meant


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
    return content


# What a tool answered may be any value; a server takes text.
def _tool_content(content: JsonValue) -> JsonValue:
    is_parts = isinstance(content, list) and all(
        isinstance(part, dict) and "type" in part for part in content
    )
    if content in (None, "", []):
        return NO_OUTPUT
    return content if isinstance(content, str) or is_parts else json.dumps(content)


def _normalize_calls(field: str, message: Message) -> list[JsonValue]:
    calls, older = message.get("tool_calls"), message.get("function_call")
    if calls:
        if not isinstance(calls, list):
            raise _bad_request(f"{field}.tool_calls", f"must be a list, not {calls!r:.80}")
        return [
            _normalize_call(f"{field}.tool_calls[{index}]", call)
            for index, call in enumerate(calls)
        ]
    return [_normalize_call(f"{field}.function_call", {"function": older})] if older else []


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


def _append(taken: list[Message], message: Message) -> None:
    if message["role"] == "assistant" and not message["content"] and "tool_calls" not in message:
        return
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


def _bad_request(field: str, what: str) -> BadRequest:
    return BadRequest(f"{field} {what}", field=field)
