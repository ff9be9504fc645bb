"""Writes scripted replies in Ollama's and OpenAI's wire formats, whole and streamed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from mini_agent.testing.http import (
    NDJSON,
    NO_RESPONSE,
    Request,
    Response,
    json_response,
    ndjson_line,
    sse_event,
)
from mini_agent.testing.replies import (
    Call,
    DelayedReply,
    EmptyChoices,
    JsonObject,
    JsonValue,
    LostConnection,
    NoAnswer,
    RawBody,
    Refusal,
    Reply,
    ScriptedReply,
    StreamError,
    Tokens,
)
from mini_agent_protocol.sse import MEDIA_TYPE, format_event

CHUNK_CHARS = 4


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One wire format: the functions that write a reply, a stream, an empty answer, an error."""

    whole: Callable[[Request, Reply], JsonObject]
    chunks: Callable[[Request, Reply], list[JsonObject]]
    nothing: Callable[[Request], JsonObject]
    error: Callable[[int, str], JsonObject]
    frame: Callable[[JsonObject], bytes]
    media_type: str
    stream_end: bytes = b""

    def answer(self, request: Request, scripted: ScriptedReply) -> Response:
        """Build the response to a request for a reply."""
        match scripted:
            case Reply():
                return self._turn(request, scripted)
            case Refusal(status, message, retry_after):
                return replace(self.refusal(status, message), retry_after=retry_after)
            case DelayedReply(reply, after_s, every_s):
                return self.answer(request, reply).with_delay(after_s=after_s, every_s=every_s)
            case StreamError(content, message):
                return self._broken_off(request, content, message)
            case _:
                return self._odd(request, scripted)

    def refusal(self, status: int, message: str) -> Response:
        """Build an error response, sent before the first byte of an answer."""
        return json_response(status, self.error(status, message))

    def _turn(self, request: Request, reply: Reply) -> Response:
        if not request.stream:
            return json_response(200, self.whole(request, reply))
        return self._stream(self.chunks(request, reply))

    def _stream(self, objects: list[JsonObject]) -> Response:
        frames = (*(self.frame(one) for one in objects), self.stream_end)
        pieces = tuple(frame for frame in frames if frame)
        return Response(200, self.media_type, pieces, streamed=True)

    def _broken_off(self, request: Request, content: str, message: str) -> Response:
        if not request.stream:
            return self.refusal(500, message)
        spoken = self.chunks(request, Reply(content))[: len(split_text(content))]
        answer = self._stream([*spoken, self.error(500, message)])
        return replace(answer, pieces=answer.pieces[: len(spoken) + 1])

    def _odd(
        self, request: Request, scripted: NoAnswer | LostConnection | RawBody | EmptyChoices
    ) -> Response:
        match scripted:
            case NoAnswer():
                return NO_RESPONSE
            case RawBody(body, status, media_type):
                return Response(status, media_type, (body.encode(),))
            case LostConnection(content):
                return replace(self._turn(request, Reply(content)), cut=True)
            case EmptyChoices():
                nothing = self.nothing(request)
                return self._stream([nothing]) if request.stream else json_response(200, nothing)


def split_text(content: str | None) -> list[str]:
    """Split text into the pieces of a stream, four characters each, so that tags are split."""
    text = content or ""
    return [text[start : start + CHUNK_CHARS] for start in range(0, len(text), CHUNK_CHARS)]


DURATION_NS: Final = 50_000_000
CONTEXT_TOKENS: Final[list[JsonValue]] = [1, 2, 3]


def load_response(request: Request) -> JsonObject:
    """The answer to a request without a prompt, which only loads or unloads the model."""
    reason = "unload" if request.body.get("keep_alive") == 0 else "load"
    speech: JsonObject = {"response": ""}
    if request.path == "/api/chat":
        speech = {"message": {"role": "assistant", "content": ""}}
    return {**_ollama_head(request), **speech, "done": True, "done_reason": reason}


def unique_call_id(request: Request, index: int) -> str:
    """An id that no other call of this server has."""
    return f"call_{request.number:04x}{index:04x}"


def timestamp() -> str:
    """The current time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _chat_whole(request: Request, reply: Reply) -> JsonObject:
    return {
        **_ollama_head(request),
        "message": _ollama_message(request, reply),
        **_ollama_end(reply),
    }


def _chat_chunks(request: Request, reply: Reply) -> list[JsonObject]:
    spoken, native = _split_calls(reply)
    empty: JsonObject = {"role": "assistant", "content": ""}
    thoughts: list[JsonObject] = [
        {**empty, "thinking": piece} for piece in split_text(reply.reasoning)
    ]
    words: list[JsonObject] = [{**empty, "content": piece} for piece in split_text(spoken)]
    called: list[JsonObject] = [
        {**empty, "tool_calls": [_ollama_tool_call(request, index, one)]}
        for index, one in enumerate(native)
    ]
    chunks: list[JsonObject] = [
        {**_ollama_head(request), "message": message, "done": False}
        for message in (*thoughts, *words, *called)
    ]
    return [*chunks, {**_ollama_head(request), "message": empty, **_ollama_end(reply)}]


def _chat_empty(request: Request) -> JsonObject:
    return {**_ollama_head(request), **_ollama_end(Reply())}


def _generate_whole(request: Request, reply: Reply) -> JsonObject:
    thinking: JsonObject = {"thinking": reply.reasoning} if reply.reasoning else {}
    spoken: JsonObject = {**_ollama_head(request), "response": _text_with_calls(reply), **thinking}
    return {**spoken, **_ollama_end(reply), "context": CONTEXT_TOKENS}


def _generate_chunks(request: Request, reply: Reply) -> list[JsonObject]:
    blank: JsonObject = {**_ollama_head(request), "response": "", "done": False}
    thoughts = [{**blank, "thinking": piece} for piece in split_text(reply.reasoning)]
    words = [{**blank, "response": piece} for piece in split_text(_text_with_calls(reply))]
    return [*thoughts, *words, {**blank, **_ollama_end(reply), "context": CONTEXT_TOKENS}]


def _ollama_error(_status: int, message: str) -> JsonObject:
    return {"error": message}


def _ollama_message(request: Request, reply: Reply) -> JsonObject:
    spoken, native = _split_calls(reply)
    message: JsonObject = {"role": "assistant", "content": spoken}
    if reply.reasoning:
        message["thinking"] = reply.reasoning
    if native:
        message["tool_calls"] = [_ollama_tool_call(request, i, one) for i, one in enumerate(native)]
    return message


def _split_calls(reply: Reply) -> tuple[str | None, list[Call]]:
    """Ollama leaves a call that it cannot parse in the text."""
    native = [call for call in reply.calls if not isinstance(call.arguments, str)]
    unparsed = [call.as_text() for call in reply.calls if isinstance(call.arguments, str)]
    spoken = "\n".join([reply.content or "", *unparsed]).strip() if unparsed else reply.content
    return spoken, native


def _text_with_calls(reply: Reply) -> str | None:
    """`/api/generate` knows no tools: what a model calls there, it writes."""
    if not reply.calls:
        return reply.content
    return "\n".join([*filter(None, [reply.content]), *(call.as_text() for call in reply.calls)])


def _ollama_tool_call(request: Request, index: int, call: Call) -> JsonObject:
    function: JsonObject = {"name": call.name, "arguments": _argument_object(call)}
    if call.id == "":
        return {"function": function}
    return {
        "id": call.id or unique_call_id(request, index),
        "function": {"index": index, **function},
    }


def _argument_object(call: Call) -> JsonObject:
    return {} if isinstance(call.arguments, str) else dict(call.arguments)


def _ollama_head(request: Request) -> JsonObject:
    return {"model": request.model, "created_at": timestamp()}


def _ollama_end(reply: Reply) -> JsonObject:
    return {"done": True, "done_reason": reply.finish, **_ollama_metrics(reply.tokens)}


def _ollama_metrics(tokens: Tokens) -> JsonObject:
    return {
        "total_duration": DURATION_NS * 3,
        "load_duration": DURATION_NS,
        "prompt_eval_count": tokens.prompt,
        "prompt_eval_duration": DURATION_NS,
        "eval_count": tokens.completion,
        "eval_duration": DURATION_NS,
    }


OLLAMA_CHAT: Final = WireFormat(
    whole=_chat_whole,
    chunks=_chat_chunks,
    nothing=_chat_empty,
    error=_ollama_error,
    frame=ndjson_line,
    media_type=NDJSON,
)

OLLAMA_GENERATE: Final = WireFormat(
    whole=_generate_whole,
    chunks=_generate_chunks,
    nothing=_chat_empty,
    error=_ollama_error,
    frame=ndjson_line,
    media_type=NDJSON,
)


def _openai_whole(request: Request, reply: Reply) -> JsonObject:
    message: JsonObject = {
        "role": "assistant",
        "content": reply.content,
        **_reasoning_fields(reply),
    }
    if reply.calls:
        message["tool_calls"] = [
            _openai_tool_call(request, i, one) for i, one in enumerate(reply.calls)
        ]
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    head = _openai_head(request, "chat.completion")
    return {**head, "choices": [choice], "usage": _openai_usage(reply.tokens)}


def _openai_chunks(request: Request, reply: Reply) -> list[JsonObject]:
    words: list[JsonObject] = [{"content": piece} for piece in split_text(reply.content)]
    thoughts: list[JsonObject] = [
        {"reasoning_content": piece, "reasoning": piece} for piece in split_text(reply.reasoning)
    ]
    called: list[JsonObject] = [
        {"tool_calls": [{"index": index, **_openai_tool_call(request, index, one)}]}
        for index, one in enumerate(reply.calls)
    ]
    chunks = [
        _openai_chunk(request, {"role": "assistant", **delta})
        for delta in (*thoughts, *words, *called)
    ]
    end = [*chunks, _openai_chunk(request, {}, finish=_finish_reason(reply))]
    if not _wants_usage(request):
        return end
    head = _openai_head(request, "chat.completion.chunk")
    return [*end, {**head, "choices": [], "usage": _openai_usage(reply.tokens)}]


def _openai_empty(request: Request) -> JsonObject:
    kind = "chat.completion.chunk" if request.stream else "chat.completion"
    return {**_openai_head(request, kind), "choices": [], "usage": _openai_usage(Tokens())}


def _openai_error(status: int, message: str) -> JsonObject:
    kinds = {404: "not_found_error"}
    kind = "api_error" if status >= 500 else kinds.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _openai_chunk(request: Request, delta: JsonObject, finish: str | None = None) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_openai_head(request, "chat.completion.chunk"), "choices": [choice]}


def _reasoning_fields(reply: Reply) -> JsonObject:
    """Servers differ in the field's name, clients read either."""
    if not reply.reasoning:
        return {}
    return {"reasoning_content": reply.reasoning, "reasoning": reply.reasoning}


def _openai_tool_call(request: Request, index: int, call: Call) -> JsonObject:
    written = (
        call.arguments if isinstance(call.arguments, str) else json.dumps(dict(call.arguments))
    )
    named: JsonObject = {
        "type": "function",
        "function": {"name": call.name, "arguments": written},
    }
    return named if call.id == "" else {"id": call.id or unique_call_id(request, index), **named}


def _finish_reason(reply: Reply) -> str:
    return "tool_calls" if reply.calls and reply.finish == "stop" else reply.finish


def _wants_usage(request: Request) -> bool:
    options = request.body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _openai_usage(tokens: Tokens) -> JsonObject:
    total = tokens.prompt + tokens.completion
    usage: JsonObject = {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": total,
    }
    if tokens.cached:
        usage["prompt_tokens_details"] = {"cached_tokens": tokens.cached}
    return usage


def _openai_head(request: Request, kind: str) -> JsonObject:
    return {
        "id": f"chatcmpl-{request.number}",
        "object": kind,
        "created": int(time.time()),
        "model": request.model,
        "system_fingerprint": "fp_ollama",
    }


OPENAI_CHAT: Final = WireFormat(
    whole=_openai_whole,
    chunks=_openai_chunks,
    nothing=_openai_empty,
    error=_openai_error,
    frame=sse_event,
    media_type=MEDIA_TYPE,
    stream_end=format_event("[DONE]").encode(),
)
