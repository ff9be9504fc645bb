"""Ollama's own format: `/api/chat` and `/api/generate`, whole and as NDJSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from mini_agent.testing.answer import NDJSON, ndjson_line
from mini_agent.testing.dialect import Dialect, pieces_of
from mini_agent.testing.http import Request
from mini_agent.testing.replies_ import (
    Call,
    JsonObject,
    JsonValue,
    Reply,
    Tokens,
)

EVAL_NS: Final = 50_000_000
CONTEXT: Final[list[JsonValue]] = [1, 2, 3]


def loaded(request: Request) -> JsonObject:
    """The answer to a request without a prompt, which only loads or unloads the model."""
    reason = "unload" if request.body.get("keep_alive") == 0 else "load"
    speech: JsonObject = {"response": ""}
    if request.path == "/api/chat":
        speech = {"message": {"role": "assistant", "content": ""}}
    return {**_stamp(request), **speech, "done": True, "done_reason": reason}


def call_id(request: Request, index: int) -> str:
    """An id no other call of this server has."""
    return f"call_{request.number:04x}{index:04x}"


def now() -> str:
    """The time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _chat_whole(request: Request, reply: Reply) -> JsonObject:
    return {**_stamp(request), "message": _message(request, reply), **_end(reply)}


def _chat_chunks(request: Request, reply: Reply) -> list[JsonObject]:
    spoken, native = _split(reply)
    empty: JsonObject = {"role": "assistant", "content": ""}
    thoughts: list[JsonObject] = [
        {**empty, "thinking": piece} for piece in pieces_of(reply.reasoning)
    ]
    words: list[JsonObject] = [{**empty, "content": piece} for piece in pieces_of(spoken)]
    called: list[JsonObject] = [
        {**empty, "tool_calls": [_tool_call(request, index, one)]}
        for index, one in enumerate(native)
    ]
    said: list[JsonObject] = [
        {**_stamp(request), "message": message, "done": False}
        for message in (*thoughts, *words, *called)
    ]
    return [*said, {**_stamp(request), "message": empty, **_end(reply)}]


def _chat_nothing(request: Request) -> JsonObject:
    return {**_stamp(request), **_end(Reply())}


def _generate_whole(request: Request, reply: Reply) -> JsonObject:
    thinking: JsonObject = {"thinking": reply.reasoning} if reply.reasoning else {}
    spoken: JsonObject = {**_stamp(request), "response": _written_out(reply), **thinking}
    return {**spoken, **_end(reply), "context": CONTEXT}


def _generate_chunks(request: Request, reply: Reply) -> list[JsonObject]:
    blank: JsonObject = {**_stamp(request), "response": "", "done": False}
    thoughts = [{**blank, "thinking": piece} for piece in pieces_of(reply.reasoning)]
    words = [{**blank, "response": piece} for piece in pieces_of(_written_out(reply))]
    return [*thoughts, *words, {**blank, **_end(reply), "context": CONTEXT}]


def _error(_status: int, message: str) -> JsonObject:
    return {"error": message}


def _message(request: Request, reply: Reply) -> JsonObject:
    spoken, native = _split(reply)
    message: JsonObject = {"role": "assistant", "content": spoken}
    if reply.reasoning:
        message["thinking"] = reply.reasoning
    if native:
        message["tool_calls"] = [_tool_call(request, i, one) for i, one in enumerate(native)]
    return message


def _split(reply: Reply) -> tuple[str | None, list[Call]]:
    """Ollama leaves a call that it cannot parse in the text."""
    native = [call for call in reply.calls if not isinstance(call.arguments, str)]
    unparsed = [call.as_text() for call in reply.calls if isinstance(call.arguments, str)]
    spoken = "\n".join([reply.content or "", *unparsed]).strip() if unparsed else reply.content
    return spoken, native


def _written_out(reply: Reply) -> str | None:
    """`/api/generate` knows no tools: what a model calls there, it writes."""
    if not reply.calls:
        return reply.content
    return "\n".join([*filter(None, [reply.content]), *(call.as_text() for call in reply.calls)])


def _tool_call(request: Request, index: int, call: Call) -> JsonObject:
    function: JsonObject = {"name": call.name, "arguments": _object(call)}
    if call.id == "":
        return {"function": function}
    return {"id": call.id or call_id(request, index), "function": {"index": index, **function}}


def _object(call: Call) -> JsonObject:
    return {} if isinstance(call.arguments, str) else dict(call.arguments)


def _stamp(request: Request) -> JsonObject:
    return {"model": request.model, "created_at": now()}


def _end(reply: Reply) -> JsonObject:
    return {"done": True, "done_reason": reply.finish, **_metrics(reply.tokens)}


def _metrics(tokens: Tokens) -> JsonObject:
    return {
        "total_duration": EVAL_NS * 3,
        "load_duration": EVAL_NS,
        "prompt_eval_count": tokens.prompt,
        "prompt_eval_duration": EVAL_NS,
        "eval_count": tokens.completion,
        "eval_duration": EVAL_NS,
    }


CHAT: Final = Dialect(
    whole=_chat_whole,
    chunks=_chat_chunks,
    nothing=_chat_nothing,
    error=_error,
    frame=ndjson_line,
    media_type=NDJSON,
)

GENERATE: Final = Dialect(
    whole=_generate_whole,
    chunks=_generate_chunks,
    nothing=_chat_nothing,
    error=_error,
    frame=ndjson_line,
    media_type=NDJSON,
)
