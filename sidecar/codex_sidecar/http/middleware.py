"""Middleware of every request: the access log, and an answer to unexpected errors."""

from __future__ import annotations

import logging
import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codex_sidecar.http.problems import create_error_response
from mini_agent_protocol.asgi.access_log import Access
from mini_agent_protocol.asgi.request_id import current_request_id
from mini_agent_protocol.errors import MiniAgentError

REQUEST_ID_BYTES: Final = 8
QUIET_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# W3C Trace Context: version, trace id, parent id, flags.
TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

log = logging.getLogger("codex_sidecar")


class UnforeseenErrorMiddleware:
    """Answers errors that no handler answers, and logs their traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_noting_start(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting_start)
        except Exception:
            log.exception("unforeseen", extra={"request_id": current_request_id()})
            if not has_begun:
                unforeseen = MiniAgentError(
                    "something went wrong here", hint="the log has the trace"
                )
                await create_error_response(unforeseen)(scope, receive, send)


def log_access(access: Access) -> None:
    """Log a request; successful health checks and scrapes are left out."""
    if access.is_to(QUIET_PATHS) and access.status < 400:
        return
    log.info(
        "request",
        extra={
            "request_id": current_request_id(),
            "method": access.method,
            "path": access.path,
            "status": access.status,
            "ms": round(access.duration_ms, 1),
            **_read_trace_id(access),
            **access.scope.get("state", {}).get("noted", {}),
        },
    )


def _read_trace_id(access: Access) -> dict[str, str]:
    trace = TRACEPARENT.fullmatch(Headers(scope=access.scope).get("traceparent", ""))
    return {"trace_id": trace[1]} if trace else {}
