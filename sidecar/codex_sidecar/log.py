"""Log lines as JSON objects: who asked for what, and what came of it. Never code, never output."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
}


class JsonLines(logging.Formatter):
    """One object a line; the fields of `extra` are fields of the object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {"time": f"{when}.{record.msecs:03.0f}Z", "level": record.levelname.lower()}
        line["event"] = record.getMessage()
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def tells_cuts_in_a_line(record: logging.LogRecord) -> bool:
    """Takes the trace from the web server's word of a request that it cut off as it ended."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        record.msg, record.exc_info = "request cut off", None
    return True


def log_to_stderr() -> None:
    """Sends everything that is logged in this process to standard error."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)
    logging.getLogger("uvicorn.error").addFilter(tells_cuts_in_a_line)
