"""Log lines as JSON objects on standard error; control characters in them are escaped."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Mapping
from typing import Final

# `color_message` is what uvicorn adds for terminals.
_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
}


class JsonFormatter(logging.Formatter):
    """Writes a record as one object; the fields of `extra` are fields of the object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{when}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        own = {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}
        line.update(own)
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json_line(line)


def json_line(fields: Mapping[str, object]) -> str:
    """Return the fields as one line of ASCII; what JSON has no form for is shown as text."""
    return json.dumps(fields, default=str)


def log_to_stderr(logger: logging.Logger, formatter: logging.Formatter | None = None) -> None:
    """Send what `logger` and those below it log to standard error, and nowhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("uvicorn.error").addFilter(shorten_cancelled_requests)


def shorten_cancelled_requests(record: logging.LogRecord) -> bool:
    """Replace the trace of a request that the web server cancelled at its end by three words."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        record.msg, record.exc_info = "request cut off", None
    return True
