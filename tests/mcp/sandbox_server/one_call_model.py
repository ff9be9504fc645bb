"""A model that calls one tool and then answers, as Codex and as Claude Code ask for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mini_agent.messages import JsonObject

ANSWER = "That is the result."
# What Claude Code and Codex say, neither of which waits for its servers.
NOT_YET = ("No such tool available", "unsupported call")
EVENTS = "text/event-stream"


@dataclass
class OneCallModel:
    """Calls `tool`, again while it is not there yet; `seen` is what it read of the results."""

    tool: str
    arguments: JsonObject
    seen: list[JsonValue] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/responses", self._responses, methods=["POST"]),
                Route("/v1/messages", self._messages, methods=["POST"]),
                Route("/{rest:path}", _nothing, methods=["GET", "HEAD", "POST"]),
            ]
        )

    async def _responses(self, request: Request) -> Response:
        asked = await request.json()
        outputs = [item for item in asked["input"] if item["type"] == "function_call_output"]
        self.seen += [item["output"] for item in outputs]
        number = len(outputs) + 1
        if await _came_too_early(outputs):
            outputs = []
        call: JsonObject = {"type": "function_call", "id": f"f{number}", "call_id": f"c{number}"}
        call |= {"name": self.tool, "arguments": json.dumps(self.arguments)} | self._namespace(
            asked["tools"]
        )
        text: JsonObject = {"type": "output_text", "text": ANSWER, "annotations": []}
        says: JsonObject = {"type": "message", "id": "m1", "role": "assistant", "content": [text]}
        item: JsonObject = (says if outputs else call) | {"status": "completed"}
        usage: JsonObject = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        done: JsonObject = {
            "id": "r1",
            "object": "response",
            "status": "completed",
            "output": [item],
        }
        events: tuple[JsonObject, ...] = (
            {"type": "response.created", "response": {"id": "r1", "output": []}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": done | {"usage": usage}},
        )
        return _streamed(events)

    def _namespace(self, tools: list[JsonObject]) -> dict[str, JsonValue]:
        """Codex puts the tools of each MCP server into a namespace."""
        for each in tools:
            if self.tool in json.dumps(each.get("tools", [])):
                return {"namespace": each["name"]}
        return {}

    async def _messages(self, request: Request) -> Response:
        asked = await request.json()
        blocks = [
            block
            for message in asked["messages"]
            if isinstance(message["content"], list)
            for block in message["content"]
        ]
        results = [block["content"] for block in blocks if block["type"] == "tool_result"]
        self.seen += results
        if await _came_too_early(results):
            results = []
        call: JsonObject = {
            "type": "tool_use",
            "id": f"t{len(blocks)}",
            "name": self.tool,
            "input": {},
        }
        item: JsonObject = {"type": "text", "text": ""} if results else call
        told = json.dumps(self.arguments)
        delta: JsonObject = {"type": "input_json_delta", "partial_json": told}
        if results:
            delta = {"type": "text_delta", "text": ANSWER}
        why = "end_turn" if results else "tool_use"
        usage: JsonObject = {"input_tokens": 1, "output_tokens": 1}
        message: JsonObject = {"id": "m1", "type": "message", "role": "assistant", "content": []}
        message |= {"model": asked["model"], "stop_reason": None, "usage": usage}
        events: tuple[JsonObject, ...] = (
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": item},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": why}, "usage": usage},
            {"type": "message_stop"},
        )
        return _streamed(events)


async def _came_too_early(results: list[JsonObject]) -> bool:
    is_too_early = bool(results) and any(said in json.dumps(results[-1]) for said in NOT_YET)
    if is_too_early:
        await asyncio.sleep(1)
    return is_too_early


async def _nothing(request: Request) -> Response:
    del request
    return JSONResponse({"data": [], "input_tokens": 1})


def _streamed(events: tuple[JsonObject, ...]) -> Response:
    def lines() -> Iterator[str]:
        for event in events:
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"

    return Response("".join(lines()), media_type=EVENTS)
