"""Builds transcript lines as Claude Code writes them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from tests.coding.harness import SESSION_ID

COMMON: JsonObject = {
    "isSidechain": False,
    "userType": "external",
    "cwd": "/elsewhere",
    "sessionId": SESSION_ID,
    "version": "2.1.197",
    "gitBranch": "HEAD",
    "timestamp": "2026-11-21T12:35:46.047Z",
}


def user_line(uuid: str, parent: str | None, content: JsonValue, **more: JsonValue) -> JsonObject:
    """Build a line of the user."""
    message: JsonObject = {"role": "user", "content": content}
    return {**COMMON, "type": "user", "uuid": uuid, "parentUuid": parent, "message": message} | more


def model_line(
    uuid: str, parent: str | None, block: JsonObject, message_id: str = "msg_1"
) -> JsonObject:
    """Build a line of the model."""
    message: JsonObject = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [block],
        "stop_reason": None,
    }
    line: JsonObject = {**COMMON, "type": "assistant", "uuid": uuid, "parentUuid": parent}
    return {**line, "message": message}


def text_block(words: str) -> JsonObject:
    return {"type": "text", "text": words}


def tool_use_block(call_id: str, name: str, **arguments: JsonValue) -> JsonObject:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def tool_result_blocks(call_id: str, content: str) -> Sequence[JsonValue]:
    return [{"type": "tool_result", "tool_use_id": call_id, "content": content}]
