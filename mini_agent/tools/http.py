"""The tools of an HTTP gateway: `GET /tools` lists them, `POST /invoke` calls one.

What a tools gateway answered, as a list of tools or as the output of one.
"""

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
from mini_agent.net.http_exchange import Answered, Ask, HttpExchange
from mini_agent.net.telemetry import trace_headers
from mini_agent.tools.arguments import NotRun, called
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, printed, refused
from mini_agent.tools.outputs import OUTCOMES, output_of, with_data, written

SHOWN: Final = 500
_ATTACHED: Final = TypeAdapter(tuple[Attachment, ...])
BEARER: Final = 'pass headers={"Authorization": "Bearer ..."}'


def tools_in(answered: Answered, address: str) -> list[Tool]:
    """The tools listed; the error says what is wrong where there is no list."""
    if not answered.ok:
        raise refusal(answered, address)
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


def refusal(answered: Answered, address: str, token: str = BEARER) -> MiniAgentError:
    """An answer that is not one of success, as an error; `token` says how to give a right one."""
    said = f"{address} answers {answered.status}: {_complaint(answered)}"
    if answered.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Unauthorized(said, hint=token)
    return ToolsUnavailable(said)


def output_in(answered: Answered) -> ToolOutput:
    """What a call came to: `{text?, error?, data?}`, other JSON, or plain text."""
    if not answered.ok:
        return refused(f"HTTP {answered.status}: {_complaint(answered)}")
    try:
        said: JsonValue = from_json(answered.content, allow_inf_nan=False)
    except ValueError:
        return printed(answered.text)
    if isinstance(said, str):
        return printed(said)
    if not isinstance(said, dict) or not said.keys() & {*OUTCOMES, "data"}:
        return printed(answered.text)
    return _outcome(said)


def _outcome(said: JsonObject) -> ToolOutput:
    error, text = _error(said.get("error")), said.get("text")
    known: JsonObject = {**said, "error": error}
    if text is not None and not isinstance(text, str):
        known["text"] = written(text)
    output = output_of(known)
    output = replace(output, attachments=_attachments(said.get("attachments")))
    data = said.get("data")
    return output if data is None else with_data(output, data)


# Our own gateway sends them; what another means by this word is not known.
def _attachments(said: JsonValue) -> tuple[Attachment, ...]:
    try:
        return _ATTACHED.validate_python(said or ())
    except ValidationError:
        return ()


def _complaint(answered: Answered) -> str:
    try:
        said: JsonValue = from_json(answered.content)
    except ValueError:
        said = None
    fields = said if isinstance(said, dict) else {}
    told = [_error(fields.get(name)) for name in ("error", "detail", "text")]
    found = next((each for each in told if each), answered.text.strip())
    return found[:SHOWN] or "(no body)"


def _error(said: JsonValue) -> str:
    """What went wrong, as text, however it is told; empty for nothing."""
    if isinstance(said, dict) and isinstance(said.get("message"), str):
        return str(said["message"])
    if isinstance(said, str):
        return said
    return written(said) if said else ""


LONGEST_S: Final = 3600.0
MOST_REFUSALS: Final = 5
USUAL_WAIT_S: Final = 1.0
SHORTEST_WAIT_S: Final = 0.1


class HttpToolsInvoker:
    """Lists and calls the tools of the gateway at `base_url`.

    `headers` go with every request (`{"Authorization": "Bearer ..."}`). A call may take `timeout`
    seconds. A call is one POST: nothing is sent again but what the gateway turned away with a 429,
    after the time its `Retry-After` asks for. In `async with` the connections are kept.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str] | None = None, timeout: float = 60.0
    ) -> None:
        if not 0 < timeout <= LONGEST_S:
            raise BadRequest(
                f"timeout must be above 0 and at most {LONGEST_S:g} seconds, not {timeout!r}",
                field="timeout",
            )
        self._exchange = HttpExchange(base_url, headers or {}, "base_url")
        self._timeout_s = timeout

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
        """The gateway's tools; `ToolsUnavailable` or `Unauthorized` when it gives none."""
        answered = await self._in_time(Ask("GET", "/tools"))
        return tools_in(answered, self._exchange.address)

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """What came of one call; a gateway that fails is told to the model as well."""
        try:
            name, arguments = called(openai_tool)
            body: JsonObject = {"name": name, "arguments": arguments}
            ask = Ask("POST", "/invoke", body, headers=tuple(trace_headers().items()))
            return output_in(await self._in_time(ask))
        except (NotRun, MiniAgentError) as why:
            return refused(str(why))

    async def _in_time(self, ask: Ask) -> Answered:
        end = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(end):
                return await self._let_in(ask, end)
        except TimeoutError as late:
            raise ToolsUnavailable(
                f"{self._exchange.address} did not answer within {self._timeout_s:g} s"
            ) from late

    async def _let_in(self, ask: Ask, end: float) -> Answered:
        """The answer of a gateway that may first turn the request away for being busy."""
        for _ in range(MOST_REFUSALS):
            answered = await self._exchange.answer(ask)
            told = answered.retry_after_s
            wait = max(SHORTEST_WAIT_S, USUAL_WAIT_S if told is None else told)
            is_too_long = asyncio.get_running_loop().time() + wait >= end
            if answered.status != httpx.codes.TOO_MANY_REQUESTS or is_too_long:
                return answered
            await asyncio.sleep(wait)
        return answered
