"""Answers of servers that follow OpenAI's format loosely, as proxies and small servers do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from mini_agent.testing import garbage
from mini_agent.testing.replies import JsonObject, JsonValue
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.programs import PRODUCT

CALL_ARGUMENTS: Final = {"code": PRODUCT.code}
AS_TEXT: Final = json.dumps(CALL_ARGUMENTS)
IN_TEXT: Final = json.dumps({"name": "exec_python", "arguments": CALL_ARGUMENTS})
FUNCTION: Final[JsonObject] = {"name": "exec_python", "arguments": AS_TEXT}


def _called(**call: JsonValue) -> JsonObject:
    return {"role": "assistant", "content": None, "tool_calls": [call]}


MESSAGES: Final[dict[str, tuple[JsonObject, str | None]]] = {
    "arguments as an object": (
        _called(
            id="c",
            type="function",
            function={"name": "exec_python", "arguments": {**CALL_ARGUMENTS}},
        ),
        "tool_calls",
    ),
    "a call without a type": (_called(id="c", function=FUNCTION), "tool_calls"),
    "a call without an id": (_called(type="function", function=FUNCTION), "tool_calls"),
    "a call whose id is null": (_called(id=None, type="function", function=FUNCTION), "tool_calls"),
    "a call whose id is a number": (
        _called(id=7, type="function", function=FUNCTION),
        "tool_calls",
    ),
    "a call of a custom tool": (
        _called(id="c", type="custom", custom={"name": "exec_python", "input": PRODUCT.code}),
        "tool_calls",
    ),
    "a call that ends with stop": (_called(id="c", type="function", function=FUNCTION), "stop"),
    "a call that ends with null": (_called(id="c", type="function", function=FUNCTION), None),
    "a call that ends with eos": (_called(id="c", type="function", function=FUNCTION), "eos"),
    "the function call of old": (
        {"role": "assistant", "content": None, "function_call": FUNCTION},
        "function_call",
    ),
    "calls that are null": (
        {"role": "assistant", "content": IN_TEXT, "tool_calls": None},
        "stop",
    ),
    "all of it in reasoning": (
        {"role": "assistant", "content": "", "reasoning": f"I run it.\n{IN_TEXT}"},
        "stop",
    ),
}


def behaviours() -> Iterator[Behaviour]:
    """The same body for ever until the result is known."""
    for name, (message, finish) in MESSAGES.items():
        body = _body({"index": 0, "message": message, "finish_reason": finish})
        yield _behaviour(name, body)
    empty: JsonObject = {"index": 0, "message": {"role": "assistant", "content": ""}}
    called: JsonObject = {
        "index": 1,
        "message": _called(id="c", type="function", function=FUNCTION),
    }
    yield _behaviour("a second choice that calls", _body(empty, called))


def _body(*choices: JsonObject) -> str:
    return json.dumps({"id": "x", "object": "chat.completion", "model": "m", "choices": choices})


def _behaviour(name: str, body: str) -> Behaviour:
    reply = garbage(body, media_type="application/json")
    return Behaviour("body", name, (reply,), program=PRODUCT)
