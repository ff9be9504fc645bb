"""The shim's log: JSON, one object a line, with the request it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime

from mini_agent.net.telemetry import current_trace_id
from mini_agent_protocol.asgi.json_log import json_line
from mini_agent_protocol.asgi.request_id import current_request_id


def line_of(event: str, **fields: object) -> str:
    """One line; control characters in it are escaped."""
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    trace_id = current_trace_id()
    traced = {"trace_id": trace_id} if trace_id else {}
    known = {"time": when, "event": event, "request_id": current_request_id(), **traced}
    return json_line({**known, **fields})
