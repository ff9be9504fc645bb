"""When a server that refused a call may be asked again, as its `Retry-After` header says it."""

from __future__ import annotations

from collections.abc import Mapping

from mini_agent.net.http_wait import seconds_told


def retry_after(error: Exception) -> float | None:
    """Seconds from now; None when the error carries no header, or one that says nothing."""
    response = getattr(error, "response", None)
    carried = (
        getattr(response, "headers", None),
        getattr(error, "litellm_response_headers", None),
        getattr(error, "headers", None),
    )
    told = (_header(headers) for headers in carried if isinstance(headers, Mapping))
    return next((seconds for text in told if (seconds := seconds_told(text)) is not None), None)


def _header(headers: Mapping[object, object]) -> str:
    named = (str(value) for name, value in headers.items() if str(name).lower() == "retry-after")
    return next(named, "")
