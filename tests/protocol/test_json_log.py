"""Log lines as JSON."""

from __future__ import annotations

import asyncio
import json
import logging

from mini_agent_protocol.asgi.access_log import JsonFormatter, shorten_cancelled_requests


def record_of(error: BaseException) -> logging.LogRecord:
    caught = (type(error), error, error.__traceback__)
    return logging.LogRecord("service", logging.ERROR, __file__, 1, "odd", (), caught)


def test_a_record_is_one_line_whose_extra_fields_are_fields_of_the_object() -> None:
    record = logging.makeLogRecord(
        {"msg": "a\n%s", "args": ("b",), "levelname": "INFO", "created": 0.0, "msecs": 7.0}
    )
    record.request_id = "r1\x1b"
    line = JsonFormatter().format(record)
    assert line.isprintable()
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.007Z",
        "level": "info",
        "event": "a\nb",
        "request_id": "r1\x1b",
    }


def test_an_error_is_told_with_its_trace() -> None:
    line = json.loads(JsonFormatter().format(record_of(ValueError("no"))))
    assert line["trace"].splitlines()[-1] == "ValueError: no"


def test_a_cancelled_request_has_no_trace_and_other_errors_keep_theirs() -> None:
    cancelled, broken = record_of(asyncio.CancelledError()), record_of(ValueError("no"))
    assert shorten_cancelled_requests(cancelled)
    assert shorten_cancelled_requests(broken)
    assert (cancelled.getMessage(), cancelled.exc_info) == ("request cut off", None)
    assert broken.exc_info
