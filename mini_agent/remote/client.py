"""HTTP client of the shim: send a run, receive its result or its events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
from pydantic import TypeAdapter, ValidationError

from mini_agent.errors import (
    BadRequest,
    ErrorBody,
    MiniAgentError,
    Problem,
    SandboxUnavailable,
    ShimUnavailable,
    Unauthorized,
)
from mini_agent.events import Event, Stopped
from mini_agent.net.telemetry import trace_headers
from mini_agent.remote.schema import AgentRunRequest, AgentRunResponse
from mini_agent.result import AgentResult
from mini_agent_protocol.sse import MEDIA_TYPE, read_events

CONNECT_TIMEOUT_S: Final = 5.0
# The run's own deadline is the shim's to keep; this is what starting and answering may take.
START_TIMEOUT_S: Final = 30.0
# A stream has a sign of life every 10 s.
IDLE_TIMEOUT_S: Final = 30.0
STACK_HINT: Final = "`make up` starts the stack, `make logs` shows what it says"


_EVENT: Final[TypeAdapter[Event]] = TypeAdapter(Event)


class RunLost(MiniAgentError):
    """The run started in the shim and its result did not arrive: never repeat it blindly."""

    code = "run_lost"


class ShimClient:
    """Runs agents in the shim at `base_url`; cancelling a call cancels the run there.

    Raises `BadRequest` for what the shim refuses, `Unauthorized` for a missing or wrong token,
    `SandboxUnavailable` when the shim has no sandbox and `ShimUnavailable` when it is away, all
    before anything ran; `RunLost` afterwards.
    """

    def __init__(self, base_url: str, token: str = "") -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def run(self, request: AgentRunRequest) -> AgentResult:
        """Execute one run and return its result."""
        whole = request.model_copy(update={"stream": False})
        patience = request.max_wallclock_seconds + START_TIMEOUT_S
        async with self._asked(whole, patience) as answer:
            said = await answer.aread()
        try:
            return AgentRunResponse.model_validate_json(said).result()
        except ValidationError as odd:
            raise self._not_the_shim() from odd

    async def events(self, request: AgentRunRequest) -> AsyncGenerator[Event, None]:
        """Execute one run and yield its events; the last one, `Stopped`, has the result.

        Leaving the `async for` early ends the run once the iterator is closed (`aclosing`).
        """
        streamed = request.model_copy(update={"stream": True})
        async with self._asked(streamed, IDLE_TIMEOUT_S) as answer:
            if not answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
                raise self._not_the_shim()
            async for _, said in read_events(answer.aiter_bytes()):
                event = self._event(said)
                yield event
                if isinstance(event, Stopped):
                    return
        raise self._lost("its events end without a result")

    @asynccontextmanager
    async def _asked(
        self, request: AgentRunRequest, patience_s: float
    ) -> AsyncIterator[httpx.Response]:
        """The answer to one request, its body still to be read; everything else is raised."""
        try:
            async with (
                self._http(patience_s) as http,
                http.stream(
                    "POST",
                    "/agent/run",
                    content=request.model_dump_json(exclude_defaults=True),
                    headers={**trace_headers(), "Content-Type": "application/json"},
                ) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    said = await answer.aread()
                    raise _build_error(answer.status_code, self._problem(answer.status_code, said))
                yield answer
        except (httpx.ConnectError, httpx.ConnectTimeout) as away:
            raise ShimUnavailable(
                f"the shim at {self.base_url} does not answer: {_describe(away)}", hint=STACK_HINT
            ) from away
        except httpx.HTTPError as broken:
            raise self._lost(_describe(broken)) from broken

    def _http(self, patience: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.base_url,
            headers=self._headers,
            trust_env=False,
            timeout=httpx.Timeout(patience, connect=CONNECT_TIMEOUT_S),
        )

    def _event(self, said: bytes) -> Event:
        try:
            return _EVENT.validate_json(said)
        except ValidationError as odd:
            raise self._lost(f"it told of something unknown: {said[:80]!r}") from odd

    def _lost(self, why: str) -> RunLost:
        return RunLost(
            f"the shim at {self.base_url} broke off in the middle of the run: {why}",
            hint=STACK_HINT,
        )

    def _not_the_shim(self) -> ShimUnavailable:
        return ShimUnavailable(
            f"what answers at {self.base_url} is not the shim of this version", hint=STACK_HINT
        )

    def _problem(self, status: int, said: bytes) -> ErrorBody:
        try:
            return Problem.model_validate_json(said).error
        except ValidationError:
            return ErrorBody(
                code="bad_answer",
                message=f"{self.base_url} answered HTTP {status}, not as the shim does",
                hint=STACK_HINT,
            )


def build_lost_result(request: AgentRunRequest, lost: RunLost) -> AgentResult:
    """Build the result of a run that started and was lost."""
    return AgentResult(
        final_answer=f"The run was lost: {lost.message}.",
        answer_source="notice",
        stopped_reason="error",
        messages=request.messages,
        iterations=(),
        used_model=request.model,
        error=str(lost),
        total_ms=0.0,
    )


def _describe(broken: httpx.HTTPError) -> str:
    return str(broken) or type(broken).__name__


def _build_error(status: int, said: ErrorBody) -> MiniAgentError:
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Unauthorized(said.message, hint=said.hint)
    if said.code == SandboxUnavailable.code:
        return SandboxUnavailable(said.message, hint=said.hint)
    if httpx.codes.is_client_error(status) and said.code != "bad_answer":
        return BadRequest(said.message, hint=said.hint)
    if said.code == "internal":
        return RunLost(said.message, hint=said.hint)
    return ShimUnavailable(said.message, hint=said.hint)
