"""Checks a conversation against the role rules of strict model servers (OpenAI, Ollama)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from pydantic import JsonValue

ROLES: Final = ("system", "developer", "user", "assistant", "tool")
MAX_ID_CHARS: Final = 64

Messages = Sequence[Mapping[str, JsonValue]]


def broken_rules(messages: Messages) -> list[str]:
    """List each rule that `messages` break as a transcript, a sentence each."""
    return [
        *_check_roles(messages),
        *_check_order(messages),
        *_check_calls(messages),
        *_check_pairs(messages),
    ]


def broken_request_rules(messages: Messages) -> list[str]:
    """The same for a request: its last message must not be the assistant's."""
    last = [f"message {len(messages) - 1}: the last one is the assistant's"]
    ends_wrong = not messages or messages[-1].get("role") == "assistant"
    return [*broken_rules(messages), *(last if ends_wrong else [])]


def _check_roles(messages: Messages) -> Iterator[str]:
    for index, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            yield f"message {index}: the role is {role!r}"
        if not isinstance(content, str | list):
            yield f"message {index}: the content is {content!r:.40}"
        if not content and not message.get("tool_calls"):
            yield f"message {index}: a message of {role} is empty"
    if not any(message.get("role") in ("user", "tool") for message in messages):
        yield "there is nobody for the assistant to answer"


def _check_order(messages: Messages) -> Iterator[str]:
    roles = [message.get("role") for message in messages]
    for index, (role, following) in enumerate(pairwise(roles)):
        if role == following == "assistant":
            yield f"message {index + 1}: the assistant follows on itself"
        if following == "system" and role != "system":
            yield f"message {index + 1}: instructions in the middle"
        if following == "tool" and role not in ("tool", "assistant"):
            yield f"message {index + 1}: a tool answers the {role}"


def _check_calls(messages: Messages) -> Iterator[str]:
    for index, message in enumerate(messages):
        if "tool_calls" not in message:
            continue
        calls = message["tool_calls"]
        if not isinstance(calls, list) or not calls or message.get("role") != "assistant":
            yield f"message {index}: tool_calls is {calls!r:.40} of {message.get('role')}"
            continue
        for call in calls:
            wrong = _call_problem(call)
            if wrong:
                yield f"message {index}: {wrong}"


def _call_problem(call: JsonValue) -> str:
    if not isinstance(call, dict) or call.get("type") != "function":
        return f"a call is {call!r:.60}"
    function, call_id = call.get("function"), call.get("id")
    if not isinstance(call_id, str) or not 0 < len(call_id) <= MAX_ID_CHARS:
        return f"the id of a call is {call_id!r:.80}"
    if not isinstance(function, dict):
        return f"the function of a call is {function!r:.60}"
    name, arguments = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not name.replace("_", "a").replace("-", "a").isalnum():
        return f"the name of a call is {name!r:.80}"
    return "" if _is_json_object(arguments) else f"the arguments of a call are {arguments!r:.80}"


def _is_json_object(text: JsonValue) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _check_pairs(messages: Messages) -> Iterator[str]:
    open_ids: list[JsonValue] = []
    for index, message in enumerate([*messages, {"role": "end"}]):
        if message.get("role") == "tool":
            answered = message.get("tool_call_id")
            if answered not in open_ids:
                yield f"message {index}: {answered!r:.80} is not the id of an open call"
                continue
            open_ids.remove(answered)
            continue
        if open_ids:
            yield f"message {index}: {open_ids!r:.80} are not answered"
        open_ids = _call_ids(message)
        if len(set(map(str, open_ids))) < len(open_ids):
            yield f"message {index}: an id stands for two calls"


def _call_ids(message: Mapping[str, JsonValue]) -> list[JsonValue]:
    calls = message.get("tool_calls")
    return (
        [call.get("id") for call in calls or () if isinstance(call, dict)]
        if isinstance(calls, list)
        else []
    )
