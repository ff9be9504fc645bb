"""Tool calls and their answers in a conversation that someone hands in, made to go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from pydantic import JsonValue

from mini_agent.errors import BadRequest
from mini_agent.messages import Message, tool_result, user

NEVER_ANSWERED: Final = "(there is no record of what came of this call)"
ORPHAN: Final = "Output of an earlier tool call:"


def paired(messages: Sequence[Message]) -> Iterator[Message]:
    """`messages` with every call followed by its one answer.

    A call without an answer gets one that says so, an answer without a call becomes a message of
    the user. `BadRequest` names an answer that could belong to several calls.
    """
    # INVARIANT: answers stand right behind their calls, in any order, each call answered once.
    pairs = _Pairs()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            yield pairs.answer(message, f"messages[{index}].tool_call_id")
            continue
        yield from pairs.missing_answers()
        yield pairs.opened(message) if "tool_calls" in message else message
    yield from pairs.missing_answers()


@dataclass(slots=True)
class _Pairs:
    # The id each open call was handed in with, and the one it has now.
    _open: list[tuple[str, str]] = field(default_factory=list)

    def opened(self, message: Message) -> Message:
        calls = message["tool_calls"]
        renamed = [self._call(call) for call in calls] if isinstance(calls, list) else []
        return {**message, "tool_calls": renamed}

    def answer(self, message: Message, where: str) -> Message:
        wanted = message.get("tool_call_id") or ""
        if not self._open:
            return _as_user(message)
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
            yield tool_result(self._open.pop(0)[1], NEVER_ANSWERED)

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


def _as_user(message: Message) -> Message:
    content = message["content"]
    if isinstance(content, list):
        return {"role": "user", "content": [{"type": "text", "text": ORPHAN}, *content]}
    return user(f"{ORPHAN}\n{content}")
