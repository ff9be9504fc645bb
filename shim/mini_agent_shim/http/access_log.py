"""The shim's log lines: JSON with the request id, and one line for each request."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

from mini_agent.net.telemetry import current_trace_id
from mini_agent_protocol.asgi.access_log import Access, json_line
from mini_agent_protocol.asgi.request_id import current_request_id

QUIET_PATHS: Final = frozenset({"/healthz", "/ready", "/status", "/metrics"})
_log: Final = logging.getLogger(__name__)


def format_log_line(event: str, **fields: object) -> str:
    """Format one log line; control characters are escaped."""
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    trace_id = current_trace_id()
    traced = {"trace_id": trace_id} if trace_id else {}
    known = {"time": when, "event": event, "request_id": current_request_id(), **traced}
    return json_line({**known, **fields})


def log_access(access: Access) -> None:
    """Log one request; health checks and metrics are not logged."""
    if access.is_to(QUIET_PATHS):
        return
    caller = access.scope.get("state", {}).get("caller")
    line = format_log_line(
        "request",
        method=access.method,
        path=access.path,
        status=access.status,
        ms=round(access.duration_ms),
        caller=caller.name if caller else "",
    )
    _log.info(line)
