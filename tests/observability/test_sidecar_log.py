"""The sidecar's log says which trace a request belonged to."""

from __future__ import annotations

import logging

import pytest

from tests.observability.exported_spans import TRACE
from tests.sidecar import conftest as sidecar
from tests.sidecar.conftest import Opened

engine = sidecar.engine
opened = sidecar.opened
SNIPPET = {"language": "python", "code": "print(1)"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        ("rubbish\\n", None),
    ],
)
async def test_a_traceparent_is_a_field_of_the_line_and_rubbish_is_not(
    opened: Opened, caplog: pytest.LogCaptureFixture, sent: str, expected: str | None
) -> None:
    caplog.set_level(logging.INFO, logger="codex_sidecar")
    async with opened() as client:
        await client.post("/v1/execute", json=SNIPPET, headers={"traceparent": sent})
    (line,) = [each for each in caplog.records if each.getMessage() == "request"]
    assert vars(line).get("trace_id") == expected
