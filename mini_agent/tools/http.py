"""`HttpToolsInvoker`: the tools of an HTTP gateway (`GET /tools`, `POST /invoke`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

import httpx
from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import from_json

from mini_agent.errors import BadRequest, MiniAgentError, ToolsUnavailable, Unauthorized
from mini_agent.messages import Attachment, JsonObject
from mini_agent.net.http_exchange import HttpExchange, HttpRequest, HttpResponse
from mini_agent.net.telemetry import trace_headers
from mini_agent.tools.arguments import RejectedCall, parse_tool_call
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, error_output, text_output
from mini_agent.tools.outputs import (
    OUTPUT_FIELDS,
    add_data,
    leave_out_base64,
    leave_out_base64_text,
    parse_output,
    to_json,
)
from mini_agent.tools.portable_tools import PortableNames

MAX_MESSAGE_CHARS: Final = 500
_ATTACHMENTS: Final = TypeAdapter(tuple[Attachment, ...])
BEARER_HINT: Final = 'pass headers={"Authorization": "Bearer ..."}'


def parse_tool_list(answered: HttpResponse, address: str) -> list[Tool]:
    """Parse the response of `GET /tools`; raise what is wrong with it."""
    if not answered.ok:
        raise build_http_error(answered, address)
    try:
        said: JsonValue = from_json(answered.content, allow_inf_nan=False)
    except ValueError:
        said = None
    listed = said.get("tools") if isinstance(said, dict) else said
    if isinstance(listed, list) and all(isinstance(tool, dict) for tool in listed):
        return [tool for tool in listed if isinstance(tool, dict)]
    raise ToolsUnavailable(
        f"{address}/tools answers with {answered.text[:60]!r}, not with a list of tools",
        hint="the address must be that of a tools gateway: GET /tools gives a JSON array",
    )


def build_http_error(
    answered: HttpResponse, address: str, token: str = BEARER_HINT
) -> MiniAgentError:
    """Build the error for a response without success; `token` is the hint where it is refused."""
    said = f"{address} answers {answered.status}: {_error_message(answered)}"
    if answered.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Unauthorized(said, hint=token)
    return ToolsUnavailable(said)


def parse_invoke_response(answered: HttpResponse) -> ToolOutput:
    """Parse the response of `POST /invoke`: `{text?, error?, data?}`, other JSON, or plain text."""
    if not answered.ok:
        return error_output(f"HTTP {answered.status}: {_error_message(answered)}")
    try:
        said: JsonValue = from_json(answered.content, allow_inf_nan=False)
    except ValueError:
        return text_output(answered.text)
    if isinstance(said, str):
        return text_output(said)
    if not isinstance(said, dict) or not said.keys() & {*OUTPUT_FIELDS, "data"}:
        return text_output(answered.text)
    return _parse_output_fields(said)


def _parse_output_fields(said: JsonObject) -> ToolOutput:
    error, text = _error_text(said.get("error")), said.get("text")
    known: JsonObject = {**said, "error": error}
    if text is not None and not isinstance(text, str):
        known["text"] = to_json(text)
    output = parse_output(known)
    output = replace(output, attachments=_parse_attachments(said.get("attachments")))
    data = said.get("data")
    return output if data is None else add_data(output, leave_out_base64(data))


# Our own gateway sends them; what another means by this word is not known.
def _parse_attachments(said: JsonValue) -> tuple[Attachment, ...]:
    try:
        return _ATTACHMENTS.validate_python(said or ())
    except ValidationError:
        return ()


def _error_message(answered: HttpResponse) -> str:
    try:
        said: JsonValue = from_json(answered.content)
    except ValueError:
        said = None
    fields = said if isinstance(said, dict) else {}
    told = [_error_text(fields.get(name)) for name in ("error", "detail", "text")]
    found = next((each for each in told if each), answered.text.strip())
    return found[:MAX_MESSAGE_CHARS] or "(no body)"


def _error_text(said: JsonValue) -> str:
    """Return an error field as text, whatever its form; empty for none."""
    if isinstance(said, dict) and isinstance(said.get("message"), str):
        return str(said["message"])
    if isinstance(said, str):
        return said
    return to_json(said) if said else ""


MAX_TIMEOUT_S: Final = 3600.0
MAX_ATTEMPTS: Final = 5
DEFAULT_RETRY_S: Final = 1.0
MIN_RETRY_S: Final = 0.1


class HttpToolsInvoker:
    """Lists and calls the tools of the gateway at `base_url`.

    Their names and schemas are listed in a form that model servers take, and mapped back in a call.

    `headers` go with every request (`{"Authorization": "Bearer ..."}`). A call may take `timeout`
    seconds. A call is one POST: nothing is sent again but what the gateway turned away with a 429,
    after the time its `Retry-After` asks for. In `async with` the connections are kept.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str] | None = None, timeout: float = 60.0
    ) -> None:
        if not 0 < timeout <= MAX_TIMEOUT_S:
            raise BadRequest(
                f"timeout must be above 0 and at most {MAX_TIMEOUT_S:g} seconds, not {timeout!r}",
                field="timeout",
            )
        self._exchange = HttpExchange(base_url, headers or {}, "base_url")
        self._timeout_s = timeout
        self._names = PortableNames()

    async def __aenter__(self) -> Self:
        await self._exchange.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exchange.__aexit__(kind, error, trace)

    async def list_openai_tools(self) -> list[Tool]:
        """List the gateway's tools; raise `ToolsUnavailable` or `Unauthorized` without one."""
        answered = await self._send_within_timeout(HttpRequest("GET", "/tools"))
        return self._names.convert(parse_tool_list(answered, self._exchange.address))

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Call one tool; a failure of the gateway is an output as well, for the model."""
        try:
            name, arguments = parse_tool_call(openai_tool)
            own_name = self._names.own_name(name)
            body: JsonObject = {"name": own_name, "arguments": arguments}
            request = HttpRequest("POST", "/invoke", body, headers=tuple(trace_headers().items()))
            output = parse_invoke_response(await self._send_within_timeout(request))
            return replace(output, stdout=leave_out_base64_text(output.stdout))
        except (RejectedCall, MiniAgentError) as why:
            return error_output(str(why))

    async def _send_within_timeout(self, request: HttpRequest) -> HttpResponse:
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                return await self._send_until_accepted(request, deadline)
        except TimeoutError as late:
            raise ToolsUnavailable(
                f"{self._exchange.address} did not answer within {self._timeout_s:g} s"
            ) from late

    async def _send_until_accepted(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Send a request again while the gateway refuses it with a 429."""
        for _ in range(MAX_ATTEMPTS):
            answered = await self._exchange.send(request)
            retry_after = answered.retry_after_s
            wait = max(MIN_RETRY_S, DEFAULT_RETRY_S if retry_after is None else retry_after)
            is_too_long = asyncio.get_running_loop().time() + wait >= deadline
            if answered.status != httpx.codes.TOO_MANY_REQUESTS or is_too_long:
                return answered
            await asyncio.sleep(wait)
        return answered
