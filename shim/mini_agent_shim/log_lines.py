"""The shim's log: JSON, one object a line, with the request it belongs to."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime

from mini_agent.spans import current_trace_id
from mini_agent_shim.request_id import current_request_id


def log_to_stderr() -> None:
    """Sends the lines of this package to standard error, as they are."""
    ours = logging.getLogger("mini_agent_shim")
    ours.addHandler(logging.StreamHandler(sys.stderr))
    ours.setLevel(logging.INFO)
    ours.propagate = False
    logging.getLogger("uvicorn.error").addFilter(tells_cuts_in_a_line)


def tells_cuts_in_a_line(record: logging.LogRecord) -> bool:
    """Takes the trace from the web server's word of a request that it cut off as it ended."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        record.msg, record.exc_info = "request cut off", None
    return True


def line_of(event: str, **fields: object) -> str:
    """One line; control characters in it are escaped."""
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    trace_id = current_trace_id()
    traced = {"trace_id": trace_id} if trace_id else {}
    known = {"time": when, "event": event, "request_id": current_request_id(), **traced}
    return json.dumps({**known, **fields}, default=str)
