"""HTTP transport of the sidecar's clients; failures become our errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Final, TypeAlias

import httpx
from pydantic import ValidationError

from mini_agent.errors import (
    BadRequest,
    ErrorBody,
    MiniAgentError,
    Problem,
    SandboxBusy,
    SandboxError,
    SandboxUnavailable,
    SessionOver,
    Unauthorized,
)
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.snippet import Snippet
from mini_agent_protocol.sse import MEDIA_TYPE, read_events

MAX_TIMEOUT_S: Final = 600.0
START_TIMEOUT_S: Final = 60.0
CONNECT_TIMEOUT_S: Final = 5.0
# Shorter than the time after which the sidecar closes it: a call never meets a closing connection.
KEEP_ALIVE_EXPIRY_S: Final = 30.0
JSON_TYPE: Final = "application/json"

Headers: TypeAlias = Callable[[], Mapping[str, str]]


def no_headers() -> Mapping[str, str]:
    """Return no headers."""
    return {}


class SidecarTransport:
    """Raises `BadRequest` for what the sidecar refuses, `Unauthorized` for a wrong token,
    `SessionOver` for a session it no longer has, and `SandboxUnavailable` when it is away or busy.
    """

    def __init__(self, base_url: str, token: str, headers: Headers = no_headers) -> None:
        own = {"Authorization": f"Bearer {token}"} if token else {}
        self._headers = headers
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            headers=own,
            trust_env=False,
            timeout=START_TIMEOUT_S,
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_EXPIRY_S),
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def call(
        self, method: str, path: str, content: bytes = b"", kind: str = JSON_TYPE
    ) -> bytes:
        """Send a request and return the body of the response."""
        return await self._answer(method, path, content, kind, START_TIMEOUT_S)

    async def run(self, path: str, snippet: Snippet) -> Execution:
        """Run a snippet and return its execution."""
        body = await self._answer(
            "POST", path, _encode_snippet(snippet), JSON_TYPE, _read_timeout_s(snippet)
        )
        return _parse_execution(body)

    async def stream(self, path: str, snippet: Snippet) -> AsyncGenerator[Output | Execution, None]:
        """Run a snippet; yield its output as it comes, its execution last."""
        async with self._streamed(path, snippet) as response:
            async for name, said in read_events(response.aiter_bytes()):
                if name == "error":
                    raise _build_error(
                        _parse_problem(said, response.status_code), response.status_code
                    )
                yield _parse_output(said) if name == "output" else _parse_execution(said)

    async def run_streaming(
        self, path: str, snippet: Snippet, listener: Callable[[Output], None]
    ) -> Execution:
        """Run a snippet; `listener` gets each piece of its output as it comes."""
        async with aclosing(self.stream(path, snippet)) as items:
            async for item in items:
                if isinstance(item, Execution):
                    return item
                listener(item)
        raise SandboxError("the sidecar's stream ended without an execution")

    async def _answer(
        self, method: str, path: str, content: bytes, kind: str, patience_s: float
    ) -> bytes:
        try:
            response = await self._http.request(
                method,
                path,
                content=content,
                headers={**self._headers(), "Content-Type": kind},
                timeout=httpx.Timeout(patience_s, connect=CONNECT_TIMEOUT_S),
            )
        except httpx.HTTPError as broken:
            raise self._away(broken) from broken
        if response.is_success:
            return response.content
        raise _build_response_error(response, response.content)

    @asynccontextmanager
    async def _streamed(self, path: str, snippet: Snippet) -> AsyncIterator[httpx.Response]:
        try:
            async with self._http.stream(
                "POST",
                path,
                content=_encode_snippet(snippet),
                headers={**self._headers(), "Content-Type": JSON_TYPE, "Accept": MEDIA_TYPE},
                timeout=httpx.Timeout(_read_timeout_s(snippet), connect=CONNECT_TIMEOUT_S),
            ) as response:
                if not response.is_success:
                    raise _build_response_error(response, await response.aread())
                yield response
        except httpx.HTTPError as broken:
            raise self._away(broken) from broken

    def _away(self, broken: httpx.HTTPError) -> SandboxUnavailable:
        if isinstance(broken, httpx.UnsupportedProtocol):
            return SandboxUnavailable(
                f"{self.base_url!r:.100} is no address of a sidecar",
                hint="one is such as http://127.0.0.1:8077; MINI_AGENT_SIDECAR_URL names it",
            )
        what = str(broken) or type(broken).__name__
        return SandboxUnavailable(
            f"the sidecar at {self.base_url} does not answer: {what}",
            hint="is it up? `make up` starts it, `make logs` shows what it says",
        )


def _read_timeout_s(snippet: Snippet) -> float:
    return (snippet.limits.timeout_s or MAX_TIMEOUT_S) + START_TIMEOUT_S


def _encode_snippet(snippet: Snippet) -> bytes:
    return snippet.model_dump_json(exclude_defaults=True).encode()


def _parse_execution(said: bytes) -> Execution:
    try:
        return Execution.model_validate_json(said)
    except ValidationError as odd:
        raise SandboxError(f"the sidecar's answer is not an execution: {odd}") from odd


def _parse_output(said: bytes) -> Output:
    try:
        return Output.model_validate_json(said)
    except ValidationError as odd:
        raise SandboxError(f"the sidecar's event is not output: {odd}") from odd


def _build_response_error(response: httpx.Response, content: bytes) -> MiniAgentError:
    said = _parse_problem(content, response.status_code)
    told = response.headers.get("Retry-After", "")
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS and told.isdecimal():
        return SandboxBusy(said.message, hint=said.hint, retry_after_s=float(told))
    return _build_error(said, response.status_code)


def _build_error(said: ErrorBody, status: int) -> MiniAgentError:
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Unauthorized(said.message, hint=said.hint)
    if said.code == SessionOver.code:
        return SessionOver(said.message, hint=said.hint)
    if status == httpx.codes.TOO_MANY_REQUESTS or said.retryable:
        return SandboxUnavailable(said.message, hint=said.hint)
    if httpx.codes.is_client_error(status):
        return BadRequest(said.message, hint=said.hint)
    return SandboxError(said.message, hint=said.hint)


def _parse_problem(said: bytes, status: int) -> ErrorBody:
    try:
        return Problem.model_validate_json(said).error
    except ValidationError:
        text = said[:200].decode(errors="replace")
        return ErrorBody(code="bad_answer", message=f"HTTP {status}: {text}")
