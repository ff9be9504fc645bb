"""The tools of an HTTP gateway: `GET /tools` lists them, `POST /invoke` calls one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import httpx

from mini_agent.errors import BadRequest, MiniAgentError, ToolsUnavailable
from mini_agent.messages import JsonObject
from mini_agent.net.http_exchange import Answered, Ask, HttpExchange
from mini_agent.net.telemetry import trace_headers
from mini_agent.tools.arguments import NotRun, called
from mini_agent.tools.http import output_in, tools_in
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, refused

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
