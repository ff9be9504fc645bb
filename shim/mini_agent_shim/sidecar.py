"""The connection to the sidecar: one client per service, and the readiness check."""

from __future__ import annotations

from typing import Final

import httpx
from pydantic import ValidationError

from mini_agent.errors import NotConfigured, Problem, SandboxUnavailable
from mini_agent.net.telemetry import trace_headers
from mini_agent.sandbox import SidecarClient
from mini_agent.settings import Settings
from mini_agent.tools.sandbox_client import open_sandbox_for_service
from mini_agent_shim.http.auth import caller_headers

READY_TIMEOUT_S: Final = 3.0


class SidecarNotReady(SandboxUnavailable):
    """The sidecar answered that it cannot run snippets; `cause` is its error code."""

    def __init__(self, message: str, *, hint: str = "", cause: str = "") -> None:
        super().__init__(message, hint=hint)
        self.cause = cause


class SidecarConnection:
    """Opens the client on first use: the sidecar may write its token after the shim has started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: SidecarClient | None = None

    def client(self) -> SidecarClient:
        """Return the client; raises `SandboxUnavailable` without a sidecar or a token."""
        if self._client is None:
            self._client = open_sandbox_for_service(self._settings, headers=_request_headers)
        return self._client

    async def require_ready(self) -> None:
        """Raise `SandboxUnavailable` with the sidecar's reason unless it can run snippets now."""
        url = self._require_url()
        self._require_token()
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=READY_TIMEOUT_S) as http:
                answer = await http.get(f"{url}/readyz")
        except httpx.HTTPError as broken:
            raise SandboxUnavailable(
                f"the sidecar at {url} does not answer: {str(broken) or type(broken).__name__}",
                hint="`make up` starts it, `make logs` shows what it says",
            ) from broken
        if answer.status_code != httpx.codes.OK:
            raise _read_reason(answer)

    async def aclose(self) -> None:
        """Close the client, if it was opened."""
        if self._client is not None:
            await self._client.aclose()

    def _require_url(self) -> str:
        if not self._settings.sidecar_url:
            raise SandboxUnavailable(
                "no sidecar is named to run snippets in",
                hint="set MINI_AGENT_SIDECAR_URL, such as http://codex-agent:8077",
            )
        return self._settings.sidecar_url.rstrip("/")

    def _require_token(self) -> str:
        try:
            return self._settings.read_sidecar_token()
        except NotConfigured as missing:
            raise SandboxUnavailable(missing.message, hint=missing.hint) from missing


def _request_headers() -> dict[str, str]:
    return trace_headers() | caller_headers()


def _read_reason(answer: httpx.Response) -> SidecarNotReady:
    try:
        error = Problem.model_validate_json(answer.content).error
    except ValidationError:
        return SidecarNotReady(f"the sidecar is not ready: HTTP {answer.status_code}")
    message = f"the sidecar is not ready: {error.message}"
    return SidecarNotReady(message, hint=error.hint, cause=error.code)
