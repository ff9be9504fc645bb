"""When a server that refused a call may be asked again, as its `Retry-After` header says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite


def retry_after(error: Exception) -> float | None:
    """Seconds from now; None when the error carries no header, or one that says nothing."""
    response = getattr(error, "response", None)
    carried = (
        getattr(response, "headers", None),
        getattr(error, "litellm_response_headers", None),
        getattr(error, "headers", None),
    )
    told = (_header(headers) for headers in carried if isinstance(headers, Mapping))
    return next((seconds for text in told if (seconds := _seconds(text)) is not None), None)


def _header(headers: Mapping[object, object]) -> str:
    named = (str(value) for name, value in headers.items() if str(name).lower() == "retry-after")
    return next(named, "")


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
        return max(0.0, seconds) if isfinite(seconds) else None
    except ValueError:
        return _until(text)


def _until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
