"""The sidecar over HTTP, as a sandbox."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Protocol, Self

import httpx
from pydantic import ValidationError

from mini_agent.errors import (
    BadRequest,
    ErrorBody,
    Problem,
    SandboxError,
    SandboxUnavailable,
    Unauthorized,
)
from mini_agent.sandbox.execution import Execution
from mini_agent.sandbox.snippet import Snippet

MAX_TIMEOUT_S: Final = 600.0
QUEUE_AND_START_S: Final = 60.0


class Sandbox(Protocol):
    """Anything that can run a snippet."""

    async def run(self, snippet: Snippet) -> Execution:
        """What happened to the snippet; raises `SandboxError` when it could not be run."""
        ...


class SidecarClient:
    """Runs snippets in the sidecar at `base_url`, each in a container of its own.

    Raises `BadRequest` for a snippet the sidecar refuses, `Unauthorized` for a wrong token and
    `SandboxUnavailable` when the sidecar or its engine is away.
    """

    def __init__(self, base_url: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.base_url, headers=headers, trust_env=False, timeout=QUEUE_AND_START_S
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def run(self, snippet: Snippet) -> Execution:
        """Runs one snippet in one fresh container."""
        patience = (snippet.limits.timeout_s or MAX_TIMEOUT_S) + QUEUE_AND_START_S
        try:
            response = await self._http.post(
                "/v1/execute",
                content=snippet.model_dump_json(exclude_defaults=True),
                headers={"Content-Type": "application/json"},
                timeout=httpx.Timeout(patience, connect=5.0),
            )
        except httpx.HTTPError as broken:
            what = str(broken) or type(broken).__name__
            raise SandboxUnavailable(
                f"the sidecar at {self.base_url} does not answer: {what}",
                hint="is it up? `make up` starts it, `make logs` shows what it says",
            ) from broken
        return _execution(response)


def _execution(response: httpx.Response) -> Execution:
    if response.status_code == httpx.codes.OK:
        try:
            return Execution.model_validate_json(response.content)
        except ValidationError as odd:
            raise SandboxError(f"the sidecar's answer is not an execution: {odd}") from odd
    raise _error(response)


def _error(response: httpx.Response) -> BadRequest | Unauthorized | SandboxError:
    said = _problem(response)
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Unauthorized(said.message, hint=said.hint)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or said.retryable:
        return SandboxUnavailable(said.message, hint=said.hint)
    if response.is_client_error:
        return BadRequest(said.message, hint=said.hint)
    return SandboxError(said.message, hint=said.hint)


def _problem(response: httpx.Response) -> ErrorBody:
    try:
        return Problem.model_validate_json(response.content).error
    except ValidationError:
        text = response.text[:200]
        return ErrorBody(code="bad_answer", message=f"HTTP {response.status_code}: {text}")
