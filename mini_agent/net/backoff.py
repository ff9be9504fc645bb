"""Delays before a failed attempt is repeated: exponential backoff, jitter and `Retry-After`."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf, isfinite
from typing import Final

# Beyond it every delay is at its maximum, and the power would grow without a bound.
MAX_EXPONENT: Final = 16


def exponential_delay(failures: int, *, initial_s: float, max_s: float = inf) -> float:
    """Compute the delay after `failures` further failures: `initial_s`, doubled by each of them."""
    return float(min(initial_s * 2 ** min(failures, MAX_EXPONENT), max_s))


def jittered_delay(failures: int, *, initial_s: float, min_s: float) -> float:
    """Draw a delay between `min_s` and the exponential one, so that callers do not synchronize."""
    longest = exponential_delay(failures, initial_s=initial_s)
    return random.uniform(min(min_s, longest), longest)  # noqa: S311  no secret


def parse_retry_after_header(header: str) -> float | None:
    """Parse a `Retry-After` header, seconds or a date (RFC 9110, 10.2.3), to seconds from now.

    Return None for a header that is neither.
    """
    try:
        seconds = float(header)
        return max(0.0, seconds) if isfinite(seconds) else None
    except ValueError:
        return _seconds_until(header)


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
