"""Speaks to OpenAI-compatible servers and Ollama over HTTP, without importing LiteLLM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from mini_agent.errors import ModelError
from mini_agent.messages import JsonObject, parse_json_object
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.models.accumulator import CompletionAccumulator, offered_names
from mini_agent.models.catalog import find_price
from mini_agent.models.completion import parse_completion
from mini_agent.models.http_clients import get_client
from mini_agent.models.litellm import LiteLLMModel, OnText
from mini_agent.models.litellm_errors import FailedCall, create_model_error, timeout_error
from mini_agent.models.ollama_format import build_ollama_body, convert_ollama_answer
from mini_agent.models.servers import CONNECTION_OPTIONS, Server, find_server
from mini_agent.net.backoff import parse_retry_after_header

if TYPE_CHECKING:
    import httpx

PATHS: Final = {"openai": "/chat/completions", "ollama": "/api/chat"}
MAX_ERROR_BYTES: Final = 64 * 1024
BROKE_OFF: Final = "the response was not completed, the connection broke"


class ChatModel:
    """Asks OpenAI-compatible servers and Ollama itself, and LiteLLM for all other models.

    `ollama_address` and `on_text` are those of `LiteLLMModel`, whose errors it raises.
    """

    def __init__(self, *, ollama_address: str = "", on_text: OnText | None = None) -> None:
        self._ollama_address = ollama_address
        self._on_text = on_text
        self._litellm = LiteLLMModel(ollama_address=ollama_address, on_text=on_text)

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Requests a completion; raises `ModelError` for every fault of the server."""
        server = find_server(request, self._ollama_address, os.environ)
        if server is None:
            return await self._litellm.reply(request)
        return await DirectCall(server, request, self._on_text).reply()


@dataclass(frozen=True, slots=True)
class DirectCall:
    """One request to one server; `on_text` gets the pieces of a streamed text."""

    server: Server
    request: ModelRequest
    on_text: OnText | None = None

    async def reply(self) -> ModelReply:
        """Request the completion; raises `ModelError` for every fault of the server."""
        try:
            async with asyncio.timeout(self.request.timeout_s):
                completion = await self._complete()
        except TimeoutError:
            raise timeout_error(self._failed(408, "")) from None
        reply = parse_completion(completion, self.request.model)
        if self.server.protocol == "ollama":
            return reply
        cost = find_price(self.server.model).cost(reply.usage)
        return replace(reply, usage=reply.usage.model_copy(update={"cost": cost}))

    async def _complete(self) -> JsonObject:
        import httpx

        try:
            async with self._open() as response:
                if response.status_code != HTTPStatus.OK:
                    raise await self._refusal(response)
                if self._is_stream(response):
                    return await self._read_stream(response)
                return self._parse_whole(await response.aread())
        except httpx.ConnectError as away:
            raise create_model_error(self._failed(500, f"Connection error: {away}")) from away
        except httpx.HTTPError as broken:
            what = f"{BROKE_OFF}: {str(broken) or type(broken).__name__}"
            raise create_model_error(self._failed(500, what)) from broken

    def _open(self) -> contextlib.AbstractAsyncContextManager[httpx.Response]:
        address = f"{self.server.address}{PATHS[self.server.protocol]}"
        key = self.server.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Surrogates, which no server takes, are replaced.
        body = json.dumps(self._body(), ensure_ascii=False).encode("utf-8", "replace")
        headers["Content-Type"] = "application/json"
        return get_client(address).stream("POST", address, content=body, headers=headers)

    def _body(self) -> JsonObject:
        if self.server.protocol == "ollama":
            return build_ollama_body(self.request, self.server.model)
        return build_openai_body(
            self.request, self.server.model, is_streamed=self.on_text is not None
        )

    async def _read_stream(self, response: httpx.Response) -> JsonObject:
        import httpx

        accumulator = CompletionAccumulator(offered_names(list(self.request.tools)))
        try:
            async for chunk in self._read_chunks(response, accumulator):
                text = accumulator.add(chunk)
                if text and self.on_text is not None:
                    self.on_text(text)
        except httpx.HTTPError:
            # What has come is not lost; the answer says that it is cut.
            if not any(accumulator.texts):
                raise
        return accumulator.build()

    async def _read_chunks(
        self, response: httpx.Response, accumulator: CompletionAccumulator
    ) -> AsyncIterator[JsonObject]:
        async for data in read_sse_data(response.aiter_bytes()):
            if data == b"[DONE]":
                accumulator.has_ended = True
                return
            chunk = self._parse_object(data)
            if chunk.get("error"):
                raise create_model_error(self._failed(*_find_fault(data, 500)))
            yield chunk

    def _is_stream(self, response: httpx.Response) -> bool:
        """Tell whether the answer is streamed, which some servers call plain text."""
        kind = response.headers.get("content-type", "")
        is_other = self.on_text is None or "json" in kind or "html" in kind
        return "event-stream" in kind or (self.server.protocol == "openai" and not is_other)

    def _parse_whole(self, content: bytes) -> JsonObject:
        answer = self._parse_object(content)
        if isinstance(answer.get("error"), dict):
            raise create_model_error(self._failed(*_find_fault(content, 500)))
        if self.server.protocol == "openai" and not answer.get("error"):
            return answer
        if answer.get("error") or not isinstance(answer.get("message"), dict):
            raise create_model_error(self._failed(500, "invalid response"))
        return convert_ollama_answer(answer)

    def _parse_object(self, content: bytes) -> JsonObject:
        try:
            # Not pydantic's parser: models write half a surrogate pair now and then.
            value = json.loads(content.decode("utf-8", "replace"))
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        raise create_model_error(self._failed(500, "invalid response"))

    async def _refusal(self, response: httpx.Response) -> ModelError:
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece[: MAX_ERROR_BYTES - len(content)]
        retry_after = response.headers.get("retry-after")
        status, text, code = _find_fault(bytes(content), response.status_code)
        seconds = parse_retry_after_header(retry_after) if retry_after else None
        return create_model_error(self._failed(status, text, code, seconds))

    def _failed(
        self, status: int, text: str, code: str = "", retry_after_s: float | None = None
    ) -> FailedCall:
        return FailedCall(
            model=self.request.model,
            address=self.server.address,
            api_key=self.server.api_key,
            timeout_s=self.request.timeout_s,
            status=status,
            text=text,
            retry_after_s=retry_after_s,
            code=code,
            has_images=has_images(self.request),
        )


def build_openai_body(request: ModelRequest, model: str, *, is_streamed: bool) -> JsonObject:
    """Build the body of a request in OpenAI's format."""
    body: JsonObject = {"model": model, "messages": list(request.messages)}
    if request.tools:
        body["tools"] = list(request.tools)
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if is_streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    own = request.options.items()
    return body | {name: value for name, value in own if name not in CONNECTION_OPTIONS}


async def read_sse_data(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the data of each server-sent event, and each line that is JSON without being one.

    Lines end with a line feed, with or without a carriage return before it.
    """
    buffer = bytearray()
    async for piece in pieces:
        buffer += piece
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        for line in lines:
            if data := _find_data(bytes(line)):
                yield data
    if data := _find_data(bytes(buffer)):
        yield data


def _find_data(line: bytes) -> bytes:
    line = line.strip()
    if line.startswith(b"data:"):
        return line[len(b"data:") :].strip()
    return line if line.startswith(b"{") else b""


def has_images(request: ModelRequest) -> bool:
    """Tell whether any message of `request` holds an image."""
    return any(
        isinstance(part, dict) and part.get("type") == "image_url"
        for message in request.messages
        for part in _parts(message.get("content"))
    )


def _parts(content: JsonValue) -> list[JsonValue]:
    return content if isinstance(content, list) else []


def _find_fault(content: bytes, status: int) -> tuple[int, str, str]:
    """Find the status, the text and the code of an error in the body of a response."""
    text = content.decode("utf-8", "replace")
    try:
        body = parse_json_object(text)
    except ValueError:
        return status, text, ""
    error = body.get("error")
    if isinstance(error, str):
        return status, error, ""
    if not isinstance(error, dict):
        return status, str(body.get("message") or text), ""
    codes = [error.get("code"), error.get("type")]
    named = [code for code in codes if isinstance(code, int) and 400 <= code < 600]
    words = " ".join(code for code in codes if isinstance(code, str))
    return int(named[0]) if named else status, _message(error, text), words


def _message(error: JsonObject, text: str) -> str:
    message = error.get("message")
    # OpenRouter hands on what the provider behind it said.
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    words = [each for each in (message, raw) if isinstance(each, str) and each]
    return ": ".join(words) or text
