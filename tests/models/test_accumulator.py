"""Streams of odd servers: every call and every word in them is found."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.model import INCOMPLETE, ModelReply
from mini_agent.models.accumulator import CompletionAccumulator
from mini_agent.models.completion import parse_completion

A, B = '{"file_path": "a.txt"}', '{"file_path": "b.txt"}'
TOOLS = ("Read", "Grep", "List", "Show")
END: JsonObject = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}


def piece(name: str | None = None, arguments: JsonValue = None, **more: JsonValue) -> JsonObject:
    function: JsonObject = {} if name is None else {"name": name}
    if arguments is not None:
        function["arguments"] = arguments
    return {**more, "function": function}


def added(*deltas: JsonObject) -> ModelReply:
    accumulator = CompletionAccumulator(TOOLS)
    for delta in deltas:
        accumulator.add({"choices": [{"index": 0, "delta": delta}]})
    accumulator.add(END)
    return parse_completion(accumulator.build(), "m")


TWO_READS = [("Read", A), ("Read", B)]
READ_AND_GREP = [("Read", A), ("Grep", B)]
SHAPES: dict[str, tuple[Sequence[JsonObject], list[tuple[str, str]]]] = {
    "one index, two ids": (
        [piece("Read", A, index=0, id="a"), piece("Read", B, index=0, id="b")],
        TWO_READS,
    ),
    "one index, no ids, other names": (
        [piece("Read", A, index=0), piece("Grep", B, index=0)],
        READ_AND_GREP,
    ),
    "one index, no ids, one name": (
        [piece("Read", A, index=0), piece("Read", B, index=0)],
        TWO_READS,
    ),
    "no index": (
        [
            piece("Read", A[:7], id="a"),
            piece(None, A[7:]),
            piece("Grep", B[:3], id="b"),
            piece(None, B[3:]),
        ],
        READ_AND_GREP,
    ),
    "neither index nor id": (
        [piece("Read", A[:7]), piece(None, A[7:]), piece("Grep", B[:3]), piece(None, B[3:])],
        READ_AND_GREP,
    ),
    "ids that are null": (
        [piece("Read", A, index=0, id=None), piece("Grep", B, index=1, id=None)],
        READ_AND_GREP,
    ),
    "ids that are empty": (
        [piece("Read", A, index=0, id=""), piece("Grep", B, index=1, id="")],
        READ_AND_GREP,
    ),
    "one id for all": (
        [piece("Read", A, index=0, id="x"), piece("Grep", B, index=0, id="x")],
        READ_AND_GREP,
    ),
    "the id in each piece": (
        [piece("Read", A[:7], index=0, id="a"), piece("Read", A[7:], index=0, id="a")],
        [("Read", A)],
    ),
    "a new id in each piece": (
        [piece("Read", A[:7], index=0, id="a"), piece(None, A[7:], index=0, id="b")],
        [("Read", A)],
    ),
    "the id later": (
        [piece("Read", "", index=0), piece(None, A, index=0, id="a")],
        [("Read", A)],
    ),
    "a name in pieces": (
        [piece("Re", "", index=0, id="a"), piece("ad", A, index=0)],
        [("Read", A)],
    ),
    "the name so far in each piece": (
        [piece("Re", "", index=0, id="a"), piece("Read", A, index=0)],
        [("Read", A)],
    ),
    "calls without arguments": (
        [piece("List", "", index=0), piece("Show", "", index=0)],
        [("List", ""), ("Show", "")],
    ),
    "arguments as an object": ([piece("Read", json.loads(A), index=0, id="a")], [("Read", A)]),
    "whole arguments twice": (
        [piece("Read", A, index=0, id="a"), piece(None, A, index=0)],
        [("Read", A)],
    ),
    "pieces, and then the whole": (
        [piece("Read", A[:7], index=0, id="a"), piece(None, A[7:], index=0), piece(None, A)],
        [("Read", A)],
    ),
    "an empty object first": (
        [piece("Read", {}, index=0, id="a"), piece(None, A, index=0)],
        [("Read", A)],
    ),
    "pieces in turns": (
        [
            piece("Read", "", index=0, id="a"),
            piece("Grep", "", index=1, id="b"),
            piece(None, A[:7], index=0),
            piece(None, B[:7], index=1),
            piece(None, A[7:], index=0),
            piece(None, B[7:], index=1),
        ],
        READ_AND_GREP,
    ),
}


@pytest.mark.parametrize(("pieces", "calls"), SHAPES.values(), ids=SHAPES)
def test_every_call_is_found_however_it_is_split(
    pieces: Sequence[JsonObject], calls: list[tuple[str, str]]
) -> None:
    deltas: list[JsonObject] = [{"tool_calls": [each]} for each in pieces]
    reply = added(*deltas)
    assert [(call.name, call.arguments) for call in reply.tool_calls] == calls


def test_several_calls_in_one_chunk_need_no_index() -> None:
    reply = added({"tool_calls": [piece("Read", A), piece("Read", B)]})
    assert [call.arguments for call in reply.tool_calls] == [A, B]


def test_the_one_call_of_an_older_server_is_found() -> None:
    reply = added(
        {"function_call": {"name": "Read", "arguments": A[:5]}},
        {"function_call": {"arguments": A[5:]}},
    )
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("Read", A)]


def test_a_stream_without_a_finish_is_incomplete_unless_its_end_was_marked() -> None:
    accumulator = CompletionAccumulator()
    accumulator.add({"choices": [{"delta": {"content": "Hel"}}]})
    assert parse_completion(accumulator.build(), "m").finish_reason == INCOMPLETE
    accumulator.has_ended = True
    assert parse_completion(accumulator.build(), "m").finish_reason == "stop"


def test_a_character_that_two_chunks_share_is_whole() -> None:
    assert added({"content": "\ud83d"}, {"content": "\ude00"}).text == "\U0001f600"
