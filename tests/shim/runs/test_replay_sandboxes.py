"""A run of real sandboxes, done again in others, comes to the same bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mini_agent.cli.replay import replay_file
from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)
from tests.shim.runs.run_client import REQUEST
from tests.shim.scripted import ScriptedModel, open_client, program_turn, text_turn

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

PLOT = (
    "import sys\\nimport matplotlib.pyplot as plt\\nplt.plot([1, 4, 9])\\n"
    "print('plotted')\\nprint('careful', file=sys.stderr)\\n6 * 7"
)
RANDOM = "import random\\nprint(random.random())"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


async def recorded(real: Sidecar, *programs: str) -> str:
    settings = ShimSettings.model_validate({"sidecar_url": real.url, "sidecar_token": TOKEN})
    model = ScriptedModel([*(program_turn(code) for code in programs), text_turn("done")])
    async with open_client(model, settings) as client:
        asked = REQUEST | {"tool_backend": "sidecar"}
        answer = await client.post("/agent/run", json=asked, timeout=60)
        bundle = await client.get(f"/runs/{answer.headers['x-run-id']}/bundle")
    return bundle.text


def replayed(real: Sidecar, file: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", real.url)
    monkeypatch.setenv("MINI_AGENT_SIDECAR_TOKEN", TOKEN)
    return replay_file(str(file))


def test_output_value_figure_and_failure_are_the_same_byte_for_byte(
    real: Sidecar,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "run.json"
    file.write_text(asyncio.run(recorded(real, PLOT, "open('note', 'w').write('x')", "1 / 0")))
    assert "image/png" in file.read_text()
    assert len(set(re.findall(r'"image_id":"(sha256:[0-9a-f]{64})"', file.read_text()))) == 1
    assert replayed(real, file, monkeypatch) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.endswith(": 3 calls, all as recorded\n")


def test_what_depends_on_chance_is_shown_as_different(
    real: Sidecar,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "run.json"
    file.write_text(asyncio.run(recorded(real, RANDOM)))
    assert replayed(real, file, monkeypatch) == 1
    assert "call 1: stdout is different" in capsys.readouterr().out
