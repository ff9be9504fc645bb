"""The run's messages, in the one order that every model server accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Final

from mini_agent.agent.normalize import INSTRUCTION_ROLES, has_instructions, unused_id
from mini_agent.messages import (
    Message,
    assistant,
    function_call,
    replace_surrogates,
    system,
    tool_result,
    user,
)
from mini_agent.tool_parsing.resolve import ResolvedCall

MAX_ID_CHARS: Final = 64


class Transcript:
    """The messages of a run, which are only ever added to.

    `instructions` come first unless the caller's messages bring their own. `pinned` holds the
    indexes of the messages that the model is always shown: instructions, the user's first message,
    the task.
    """

    def __init__(self, messages: Sequence[Message], instructions: str) -> None:
        is_missing = instructions and not has_instructions(messages)
        head = [system(instructions)] if is_missing else []
        self._messages = [*head, *messages]
        self._open_calls: list[str] = []
        self.pinned = frozenset(_pinned_indexes(self._messages))
        self.has_tool_results = False
        self._ids = {message.get("tool_call_id") for message in messages}
        self.task = _last_user_text(messages)

    def copy(self) -> list[Message]:
        """Returns a deep copy of the messages."""
        return deepcopy(self._messages)

    def reserve_id(self, requested: str) -> str:
        """Reserves `requested`, or an id like it that no call has yet."""
        # INVARIANT: an id names one call of the whole run, whatever the model server repeats.
        reserved = unused_id(replace_surrogates(requested)[:MAX_ID_CHARS], self._ids)
        self._ids.add(reserved)
        return reserved

    def add_answer(self, text: str) -> None:
        """Adds the model's answer, which ends a turn."""
        self._messages.append(assistant(text))

    def add_calls(self, text: str, resolved: Sequence[ResolvedCall]) -> None:
        """Adds the model's calls; `add_result` has to follow for each, in the same order."""
        # INVARIANT: a call stays open until its one result is added, by `close_calls` at last.
        self._open_calls = [call.id for call in resolved]
        calls = [function_call(call.id, call.name, call.arguments) for call in resolved]
        self._messages.append(assistant(text, calls))

    def add_result(self, call_id: str, text: str) -> None:
        """Adds the result of one call."""
        self._messages.append(tool_result(call_id, text))
        self._open_calls.remove(call_id)
        self.has_tool_results = True

    def close_calls(self, text: str) -> None:
        """Adds `text` as the result of every call that has none yet."""
        for call_id in tuple(self._open_calls):
            self.add_result(call_id, text)

    def add_directive(self, text: str) -> None:
        """Adds a message of the loop to the model."""
        self._messages.append(user(text))


def _pinned_indexes(messages: Sequence[Message]) -> Iterator[int]:
    roles = [message["role"] for message in messages]
    yield from (index for index, role in enumerate(roles) if role in INSTRUCTION_ROLES)
    user_indexes = [index for index, role in enumerate(roles) if role == "user"]
    yield from (*user_indexes[:1], *user_indexes[-1:])


def _last_user_text(messages: Sequence[Message]) -> str:
    contents = [message["content"] for message in messages if message["role"] == "user"]
    content = contents[-1] if contents else ""
    parts = content if isinstance(content, list) else [{"text": content}]
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
