"""What the shim's log tells of a run."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from mini_agent_shim.settings import ShimSettings
from tests.shim.scripted import ScriptedModel, SilentModel, open_client, program_turn, text_turn

ASKED = {
    "messages": [{"role": "user", "content": "the user's secret"}],
    "model": "a/b",
    "tool_backend": "echo",
}


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="mini_agent_shim")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        each.getMessage() for each in caplog.records if each.name == "mini_agent_shim.runs.recorder"
    ]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_run_that_stops_is_one_line_that_counts_and_quotes_nothing(
    caplog: pytest.LogCaptureFixture, *, stream: bool
) -> None:
    model = ScriptedModel(
        [program_turn("the code's secret", tool="echo"), text_turn("the answer's secret")]
    )
    async with open_client(model) as client:
        await client.post("/agent/run", json=ASKED | {"stream": stream})
    (line,) = lines(caplog)
    said = json.loads(line)
    assert said["event"] == "run_stopped"
    assert (said["model"], said["stopped_reason"], said["answer_source"]) == (
        "a/b",
        "success",
        "model",
    )
    assert (said["iterations"], said["calls"], said["failed_calls"]) == (2, 1, 0)
    assert "secret" not in line


async def test_a_run_that_is_cancelled_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    model = SilentModel()
    async with open_client(model, ShimSettings()) as client:
        asking = asyncio.create_task(client.post("/agent/run", json=ASKED))
        await model.asked.wait()
        asking.cancel()
        await asyncio.wait({asking})
    (line,) = lines(caplog)
    assert json.loads(line)["stopped_reason"] == "cancelled"


async def test_a_name_cannot_write_lines_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    async with open_client(ScriptedModel([text_turn("hey")])) as client:
        await client.post("/agent/run", json=ASKED | {"model": "a/b\n\x1b[31m" + "c" * 1000})
    (line,) = lines(caplog)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 500
