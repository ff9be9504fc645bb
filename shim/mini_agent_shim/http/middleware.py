"""A line in the log for each request that was answered: what, who, how long. Never its content."""

from __future__ import annotations

import logging
from typing import Final

from mini_agent_protocol.asgi.access_log import Access
from mini_agent_shim.http.log_lines import line_of

QUIET_PATHS: Final = frozenset({"/healthz", "/ready", "/status", "/metrics"})
_log: Final = logging.getLogger(__name__)


def log_access(access: Access) -> None:
    """Write the line; health checks and counts have none."""
    if access.is_to(QUIET_PATHS):
        return
    caller = access.scope.get("state", {}).get("caller")
    line = line_of(
        "request",
        method=access.method,
        path=access.path,
        status=access.status,
        ms=round(access.duration_ms),
        caller=caller.name if caller else "",
    )
    _log.info(line)
