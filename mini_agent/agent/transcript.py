"""The run's messages, in the one order that every model server accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import count
from typing import Final

from mini_agent.agent.normalize import INSTRUCTION_ROLES, has_instructions
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
    """The conversation so far, which only ever grows.

    `instructions` stand at its top unless the caller's messages bring their own. `pinned` are the
    places of what the model must always be shown: instructions, the user's first message, the task.
    """

    def __init__(self, messages: Sequence[Message], instructions: str) -> None:
        missing = instructions and not has_instructions(messages)
        own = [system(instructions)] if missing else []
        self._messages = [*own, *messages]
        self._open: list[str] = []
        self.pinned = frozenset(_pinned_indexes(self._messages))
        self.has_tool_answers = False
        self._ids = {message.get("tool_call_id") for message in messages}

    def copy(self) -> list[Message]:
        """The messages, the reader's to keep and change."""
        return deepcopy(self._messages)

    def unused_id(self, wanted: str) -> str:
        """`wanted`, or one like it that no call has yet; the id is taken from then on."""
        # INVARIANT: an id names one call of the whole run, whatever the model server repeats.
        wanted = replace_surrogates(wanted)[:MAX_ID_CHARS]
        candidate = wanted
        numbered = (f"{wanted or 'call'}_{number}" for number in count(1))
        while not candidate or candidate in self._ids:
            candidate = next(numbered)
        self._ids.add(candidate)
        return candidate

    def model_said(self, text: str) -> None:
        """The model's answer; it ends a turn."""
        self._messages.append(assistant(text))

    def model_called(self, text: str, asks: Sequence[ResolvedCall]) -> None:
        """The model's calls; `tool_answered` has to follow for each, in the same order."""
        # INVARIANT: a call stays open until its one answer is written, by `answer_open` at last.
        self._open = [ask.id for ask in asks]
        calls = [function_call(ask.id, ask.name, ask.arguments) for ask in asks]
        self._messages.append(assistant(text, calls))

    def tool_answered(self, call_id: str, text: str) -> None:
        """What came of one call."""
        self._messages.append(tool_result(call_id, text))
        self._open.remove(call_id)
        self.has_tool_answers = True

    def answer_open(self, text: str) -> None:
        """The same answer for every call that has none yet."""
        for call_id in tuple(self._open):
            self.tool_answered(call_id, text)

    def loop_says(self, text: str) -> None:
        """A word of the loop's own to the model."""
        self._messages.append(user(text))


def _pinned_indexes(messages: Sequence[Message]) -> Iterator[int]:
    yield from (
        index for index, message in enumerate(messages) if message["role"] in INSTRUCTION_ROLES
    )
    said = [index for index, message in enumerate(messages) if message["role"] == "user"]
    yield from (*said[:1], *said[-1:])
