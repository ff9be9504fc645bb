"""Adds up the chunks of a streamed completion, however its server splits them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject, parse_json_object
from mini_agent.model import INCOMPLETE

REASONING_FIELDS: Final = ("reasoning_content", "reasoning", "thinking")


@dataclass(slots=True)
class CallPieces:
    """The pieces of one tool call."""

    index: int | None
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)

    def add(self, piece: CallPiece, known: Collection[str]) -> None:
        """Add a piece, which may repeat what is there."""
        self.id = self.id or piece.id
        self.name = _join_names(self.name, piece.name, known)
        if piece.arguments:
            self.pieces.append(piece.arguments)

    @property
    def arguments(self) -> str:
        """The arguments: the pieces together, else the one piece that is whole."""
        joined = "".join(self.pieces)
        candidates = [joined, *self.pieces[-1:], *self.pieces[:1]]
        return next((text for text in candidates if is_json_object(text)), joined)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are an object that has ended."""
        return is_json_object(self.arguments)

    def is_extended_by(self, arguments: str) -> bool:
        """Tell whether `arguments` repeat these whole ones, perhaps with more of them."""
        return arguments.startswith(self.arguments.rstrip()[:-1]) or not arguments.strip()


@dataclass(frozen=True, slots=True)
class CallPiece:
    """What one chunk says of one tool call; `index` is None where it says none."""

    index: int | None
    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class CallAccumulator:
    """Finds the call that each piece belongs to, by its id, its index, else its place.

    Servers leave out ids or indexes, give all calls the same index, repeat ids, names or whole
    arguments, or split names. `known` are the names of the tools that were offered.
    """

    known: Collection[str] = ()
    calls: list[CallPieces] = field(default_factory=list)

    def add(self, delta: JsonValue) -> None:
        """Add the `tool_calls` of a chunk, or the `function_call` of an older server."""
        for each in delta if isinstance(delta, list) else [delta]:
            if isinstance(each, dict):
                self._add(_parse_piece(each))

    def _add(self, piece: CallPiece) -> None:
        call = self._find(piece)
        if call is None:
            call = CallPieces(piece.index)
            self.calls.append(call)
        call.add(piece, self.known)

    def _find(self, piece: CallPiece) -> CallPieces | None:
        at_index = [call for call in self.calls if _shares_index(call, piece)]
        same = [call for call in at_index if piece.id and call.id == piece.id]
        last = next(reversed(same or at_index), None)
        if last is None or self._begins_call(last, piece):
            return None
        return last

    def _begins_call(self, last: CallPieces, piece: CallPiece) -> bool:
        """Tell whether `piece`, which may continue `last`, is the first of another call."""
        if not piece.name or not last.name:
            # Some servers make up a new id for each piece of one call.
            return False
        if piece.id and last.id and piece.id != last.id:
            return True
        if piece.name == last.name:
            return last.is_whole and not last.is_extended_by(piece.arguments)
        return bool(last.pieces) or (last.name in self.known and piece.name in self.known)

    def build(self) -> list[JsonObject]:
        """Build the calls in OpenAI's form, in the order in which they began."""
        return [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in self.calls
            if call.name or call.pieces
        ]


@dataclass(slots=True)
class CompletionAccumulator:
    """Adds up the chunks of OpenAI's format to one completion, its first choice alone."""

    known: Collection[str] = ()
    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    usage: JsonValue = None
    model: JsonValue = None
    finish_reason: str = ""
    has_ended: bool = False
    has_choices: bool = False
    calls: CallAccumulator = field(init=False)

    def __post_init__(self) -> None:
        self.calls = CallAccumulator(self.known)

    def add(self, chunk: JsonObject) -> str:
        """Add a chunk; returns the text in it."""
        self.usage = chunk.get("usage") or self.usage
        self.model = self.model or chunk.get("model")
        return "".join(self._add_choice(choice) for choice in _first_choices(chunk))

    def build(self) -> JsonObject:
        """Build the completion; its finish reason is `INCOMPLETE` where the stream was cut."""
        text = join_surrogates("".join(self.texts))
        message: JsonObject = {"role": "assistant", "content": text}
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        calls = self.calls.build()
        if calls:
            message["tool_calls"] = list(calls)
        finish = self.finish_reason or ("stop" if self.has_ended else INCOMPLETE)
        choice: JsonObject = {"index": 0, "message": message, "finish_reason": finish}
        choices: list[JsonValue] = [choice] if self.has_choices else []
        return {"model": self.model, "choices": choices, "usage": self.usage}

    def _add_choice(self, choice: JsonObject) -> str:
        self.has_choices = True
        delta = choice.get("delta")
        # A few servers send the whole message at the end, or as the only chunk.
        message = choice.get("message")
        text = ""
        if isinstance(delta, dict) and delta:
            text = self._add_delta(delta)
        elif isinstance(message, dict) and not (self.texts or self.calls.calls):
            text = self._add_delta(message)
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            self.finish_reason = finish
        return text

    def _add_delta(self, delta: JsonObject) -> str:
        text = delta.get("content")
        text = text if isinstance(text, str) else ""
        self.texts.append(text)
        thoughts = (delta.get(name) for name in REASONING_FIELDS)
        self.reasoning += [thought for thought in thoughts if isinstance(thought, str)][:1]
        self.calls.add(delta.get("tool_calls"))
        if delta.get("function_call"):
            self.calls.add({"function": delta["function_call"]})
        return text


def offered_names(tools: JsonValue) -> frozenset[str]:
    """Return the names of the tools of a request."""
    listed = tools if isinstance(tools, list) else []
    functions = [each.get("function") for each in listed if isinstance(each, dict)]
    return frozenset(str(each.get("name")) for each in functions if isinstance(each, dict))


def join_surrogates(text: str) -> str:
    """Join the halves of characters that a server split between two chunks."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_json_object(text: str) -> bool:
    """Tell whether `text` is one whole JSON object."""
    try:
        parse_json_object(text)
    except ValueError:
        return False
    return True


def _first_choices(chunk: JsonObject) -> Iterator[JsonObject]:
    choices = chunk.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict) and choice.get("index") in (None, 0):
            yield choice


def _parse_piece(delta: JsonObject) -> CallPiece:
    function = delta.get("function") or delta.get("custom")
    function = function if isinstance(function, dict) else delta
    call_id, name = delta.get("id"), function.get("name")
    return CallPiece(
        _parse_index(delta.get("index")),
        "" if call_id is None else str(call_id),
        name if isinstance(name, str) else "",
        _to_text(function.get("arguments") or function.get("input")),
    )


def _parse_index(index: JsonValue) -> int | None:
    is_number = isinstance(index, int) or (isinstance(index, str) and index.isdecimal())
    return int(str(index)) if is_number else None


def _to_text(arguments: JsonValue) -> str:
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else ""


def _shares_index(call: CallPieces, piece: CallPiece) -> bool:
    return call.index is None or piece.index is None or call.index == piece.index


def _join_names(name: str, piece: str, known: Collection[str]) -> str:
    """Add a piece of a name; some servers repeat the name, or all of it so far."""
    if not name or (piece.startswith(name) and piece in known):
        return piece or name
    return name if not piece or name == piece or name in known else name + piece
