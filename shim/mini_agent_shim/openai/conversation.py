"""The input of `/v1/responses` as messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import JsonValue

from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message, tool_result, user

TEXTS: Final = ("input_text", "output_text", "text", "summary_text")


def messages_in(given: str | Sequence[JsonObject]) -> list[Message]:
    """The messages; `BadRequest` for a part that cannot be shown to a model.

    Items that are only the client's own notes, such as reasoning, are left out.
    """
    if isinstance(given, str):
        return [user(given)]
    messages = list(_messages(given))
    if not messages:
        raise BadRequest("input holds no message", field="input")
    return messages


def _messages(items: Sequence[JsonObject]) -> Iterator[Message]:
    for index, item in enumerate(items):
        field = f"input[{index}]"
        match item.get("type", "message"):
            case "message":
                yield {"role": item.get("role"), "content": _content(field, item.get("content"))}
            case "function_call" | "custom_tool_call":
                yield {"role": "assistant", "content": "", "tool_calls": [_call(item)]}
            case "function_call_output" | "custom_tool_call_output":
                yield tool_result(str(item.get("call_id")), _text(field, item.get("output")))
            case "item_reference":
                raise BadRequest(
                    f"{field}: items are not kept here", field="input", hint="send them whole"
                )
            case _:
                pass


def _call(item: JsonObject) -> JsonObject:
    arguments = item.get("arguments")
    written = arguments if isinstance(arguments, str) else json.dumps({"input": item.get("input")})
    function: JsonObject = {"name": item.get("name"), "arguments": written}
    return {"id": item.get("call_id"), "type": "function", "function": function}


def _text(field: str, given: JsonValue) -> str:
    if isinstance(given, str):
        return given
    parts = given if isinstance(given, list) else []
    shown = [_part(field, part) for part in parts if isinstance(part, dict)]
    return "\n".join(str(part["text"]) for part in shown if part["type"] == "text")


def _content(field: str, given: JsonValue) -> JsonValue:
    if not isinstance(given, list):
        return given
    return [_part(field, part) if isinstance(part, dict) else part for part in given]


def _part(field: str, part: JsonObject) -> JsonObject:
    kind = part.get("type")
    if kind in TEXTS:
        return {"type": "text", "text": part.get("text")}
    if kind == "refusal":
        return {"type": "text", "text": part.get("refusal")}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return {"type": "image_url", "image_url": {"url": part["image_url"]}}
    raise BadRequest(
        f"{field}: a part of type {kind!r:.60} cannot be shown to a model here",
        field="input",
        hint="there is input_text, and input_image with an image_url",
    )
