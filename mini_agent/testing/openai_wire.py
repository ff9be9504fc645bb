"""OpenAI's format: `/v1/chat/completions`, whole and as server-sent events."""

from __future__ import annotations

import json
import time
from typing import Final

from mini_agent.testing.answer import sse_event
from mini_agent.testing.dialect import Dialect, pieces_of
from mini_agent.testing.http import Request
from mini_agent.testing.replies_ import (
    Call,
    JsonObject,
    Reply,
    Tokens,
)
from mini_agent.testing.wire_formats import call_id
from mini_agent_protocol.sse import MEDIA_TYPE, format_event


def _whole(request: Request, reply: Reply) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": reply.content, **_thought(reply)}
    if reply.calls:
        message["tool_calls"] = [_tool_call(request, i, one) for i, one in enumerate(reply.calls)]
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    head = _head(request, "chat.completion")
    return {**head, "choices": [choice], "usage": _usage(reply.tokens)}


def _chunks(request: Request, reply: Reply) -> list[JsonObject]:
    words: list[JsonObject] = [{"content": piece} for piece in pieces_of(reply.content)]
    thoughts: list[JsonObject] = [
        {"reasoning_content": piece, "reasoning": piece} for piece in pieces_of(reply.reasoning)
    ]
    called: list[JsonObject] = [
        {"tool_calls": [{"index": index, **_tool_call(request, index, one)}]}
        for index, one in enumerate(reply.calls)
    ]
    said = [
        _chunk(request, {"role": "assistant", **delta}) for delta in (*thoughts, *words, *called)
    ]
    end = [*said, _chunk(request, {}, finish=_finish(reply))]
    if not _wants_usage(request):
        return end
    head = _head(request, "chat.completion.chunk")
    return [*end, {**head, "choices": [], "usage": _usage(reply.tokens)}]


def _nothing(request: Request) -> JsonObject:
    kind = "chat.completion.chunk" if request.stream else "chat.completion"
    return {**_head(request, kind), "choices": [], "usage": _usage(Tokens())}


def _error(status: int, message: str) -> JsonObject:
    kinds = {404: "not_found_error"}
    kind = "api_error" if status >= 500 else kinds.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _chunk(request: Request, delta: JsonObject, finish: str | None = None) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_head(request, "chat.completion.chunk"), "choices": [choice]}


def _thought(reply: Reply) -> JsonObject:
    """Servers differ in the field's name, clients read either."""
    if not reply.reasoning:
        return {}
    return {"reasoning_content": reply.reasoning, "reasoning": reply.reasoning}


def _tool_call(request: Request, index: int, call: Call) -> JsonObject:
    written = (
        call.arguments if isinstance(call.arguments, str) else json.dumps(dict(call.arguments))
    )
    named: JsonObject = {
        "type": "function",
        "function": {"name": call.name, "arguments": written},
    }
    return named if call.id == "" else {"id": call.id or call_id(request, index), **named}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls and reply.finish == "stop" else reply.finish


def _wants_usage(request: Request) -> bool:
    options = request.body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _usage(tokens: Tokens) -> JsonObject:
    total = tokens.prompt + tokens.completion
    usage: JsonObject = {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": total,
    }
    if tokens.cached:
        usage["prompt_tokens_details"] = {"cached_tokens": tokens.cached}
    return usage


def _head(request: Request, kind: str) -> JsonObject:
    return {
        "id": f"chatcmpl-{request.number}",
        "object": kind,
        "created": int(time.time()),
        "model": request.model,
        "system_fingerprint": "fp_ollama",
    }


COMPLETIONS: Final = Dialect(
    whole=_whole,
    chunks=_chunks,
    nothing=_nothing,
    error=_error,
    frame=sse_event,
    media_type=MEDIA_TYPE,
    stream_end=format_event("[DONE]").encode(),
)
