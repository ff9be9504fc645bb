"""The access log: method, path, status and duration of each request, as lines of JSON.

Lines go to standard error; control characters in them are escaped.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


MAX_PATH_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Access:
    """One request that is over; `status` is 0 where no response was begun."""

    scope: Scope
    status: int
    duration_ms: float

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The path of the request, or as much of it as a log line may hold."""
        return str(self.scope["path"])[:MAX_PATH_CHARS]

    def is_to(self, paths: frozenset[str]) -> bool:
        """Tell whether the request was to one of these paths, such as those of health checks."""
        return self.scope["path"] in paths


class AccessLogMiddleware:
    """Hands each request that is over to `write`, which knows the fields of the service's log."""

    def __init__(self, app: ASGIApp, write: Callable[[Access], None]) -> None:
        self.app = app
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            self._write(Access(scope, status, (perf_counter() - started) * 1000))
