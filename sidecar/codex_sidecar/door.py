"""What happens round every request: its id, its log line, an answer whatever goes wrong inside."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codex_sidecar.problems import answer
from mini_agent.errors import MiniAgentError

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# As the W3C writes it: version, trace, span, flags.
TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

log = logging.getLogger("codex_sidecar")


class Door:
    """ASGI middleware; the request's id is `scope["state"]["request_id"]` inside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        if trace := TRACEPARENT.fullmatch(Headers(scope=scope).get("traceparent", "")):
            scope["state"]["trace_id"] = trace[1]
        visit = _Visit(scope, send, request_id)
        try:
            await self._app(scope, receive, visit.send)
        except Exception:
            log.exception("unforeseen", extra={"request_id": request_id})
            if not visit.status:
                unforeseen = MiniAgentError(
                    "something went wrong here", hint="the log has the trace"
                )
                await answer(unforeseen, request_id)(scope, receive, visit.send)
        finally:
            visit.note()


class _Visit:
    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope, self._send, self._request_id = scope, send, request_id
        self._began = time.perf_counter()
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-Id"] = self._request_id
        await self._send(message)

    def note(self) -> None:
        if self._scope["path"] in QUIET and self.status < 400:
            return
        log.info(
            "request",
            extra={
                "request_id": self._request_id,
                "method": self._scope["method"],
                "path": self._scope["path"][:200],
                "status": self.status,
                "ms": round((time.perf_counter() - self._began) * 1000, 1),
                **self._traced,
                **self._scope["state"].get("noted", {}),
            },
        )

    @property
    def _traced(self) -> dict[str, str]:
        trace_id = self._scope["state"].get("trace_id")
        return {"trace_id": trace_id} if trace_id else {}
