"""Plays a script: gives the next reply, and checks that the script was used up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from mini_agent.testing.http import Request
from mini_agent.testing.replies import JsonObject, ScriptedReply, to_scripted_reply

ReplyFunction: TypeAlias = Callable[[list[JsonObject]], ScriptedReply | str]
Script: TypeAlias = Sequence[ScriptedReply | str] | ReplyFunction


class ScriptNotFollowed(AssertionError):
    """The model got fewer or more requests than its script has replies."""


class ScriptPlayer(Protocol):
    """A script in use."""

    def next_reply(self, request: Request) -> ScriptedReply | None:
        """The reply to `request`; None if the script has none left."""
        ...

    def describe_deviation(self) -> str:
        """A sentence about the difference to the script; empty if there is none."""
        ...


def create_player(script: Script, *, repeat_last: bool) -> ScriptPlayer:
    """Start `script` from its beginning."""
    if isinstance(script, str):
        raise TypeError(f"a script is a list of replies, not one string: [{script!r}]")
    if callable(script):
        return _FunctionPlayer(script)
    replies = tuple(to_scripted_reply(reply) for reply in script)
    return _RepeatingPlayer(replies) if repeat_last else _SequentialPlayer(replies)


class _SequentialPlayer:
    """Gives each reply once, in order."""

    def __init__(self, replies: tuple[ScriptedReply, ...]) -> None:
        self._replies = replies
        self._requests = 0

    def next_reply(self, request: Request) -> ScriptedReply | None:
        del request
        self._requests += 1
        return self._replies[self._requests - 1] if self._requests <= len(self._replies) else None

    def describe_deviation(self) -> str:
        if self._requests == len(self._replies):
            return ""
        unused = self._replies[self._requests :]
        listed = "".join(f"\n  {reply!r}" for reply in unused)
        left_over = f"; never asked for:{listed}" if unused else ""
        has = format_reply_count(self._replies)
        return (
            f"the model was asked {_format_times(self._requests)}, its script has {has}{left_over}"
        )


class _RepeatingPlayer:
    """Gives each reply once, then the last one again and again."""

    def __init__(self, replies: tuple[ScriptedReply, ...]) -> None:
        if not replies:
            raise ValueError("repeat_last needs at least one reply to repeat")
        self._replies = replies
        self._requests = 0

    def next_reply(self, request: Request) -> ScriptedReply | None:
        del request
        self._requests += 1
        return self._replies[min(self._requests, len(self._replies)) - 1]

    def describe_deviation(self) -> str:
        return ""


class _FunctionPlayer:
    """Calls a function of the messages, for several conversations at a time."""

    def __init__(self, function: ReplyFunction) -> None:
        self._function = function
        self._raised: list[str] = []

    def next_reply(self, request: Request) -> ScriptedReply | None:
        try:
            return to_scripted_reply(self._function(request.messages))
        except Exception as error:  # noqa: BLE001  the author's function: whatever it raises
            self._raised.append(f"{type(error).__name__}: {error}")
            return None

    def describe_deviation(self) -> str:
        return f"the script function raised {'; '.join(self._raised)}" if self._raised else ""


def format_reply_count(replies: Sequence[ScriptedReply]) -> str:
    """The number of replies with its noun."""
    return "1 reply" if len(replies) == 1 else f"{len(replies)} replies"


def _format_times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
