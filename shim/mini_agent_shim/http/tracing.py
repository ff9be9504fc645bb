"""Each request as a span, in the trace that its caller speaks of (traceparent)."""

from __future__ import annotations

from typing import Final

from opentelemetry.trace import Span, SpanKind
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mini_agent.net.telemetry import context_in, failed, span
from mini_agent_shim.http.middleware import QUIET_PATHS

FAULT: Final = 500
# FastAPI's own spans would stand beside ours, with its functions and with health checks.
NOT_BY_FASTAPI: Final = dict.fromkeys(("tracing", "operation_spans", "metrics", "logs"), False)


class Traces:
    """Opens the spans; health checks and counts have none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http" or scope["path"] in QUIET_PATHS:
            await self.app(scope, receive, send)
            return
        asked = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
        caller = context_in(Headers(scope=scope))
        with span(scope["method"], SpanKind.SERVER, asked, caller) as begun:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _answered(begun, message["status"])
                await send(message)

            await self.app(scope, receive, noted)
            _named(begun, scope)


def _answered(begun: Span, status: int) -> None:
    begun.set_attribute("http.response.status_code", status)
    if status >= FAULT:
        failed(begun, str(status))


# The path itself may hold anything; the route, which is known by now, is one of a few.
def _named(begun: Span, scope: Scope) -> None:
    route = getattr(scope.get("route"), "path", "")
    if route:
        begun.set_attribute("http.route", route)
        begun.update_name(f"{scope['method']} {route}")
