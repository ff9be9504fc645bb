"""What is counted."""

from __future__ import annotations

import re

import httpx

from codex_sidecar import metrics
from tests.sidecar.conftest import Opened
from tests.sidecar.scripted_engine import ScriptedEngine, prints

SNIPPET = {"language": "python", "code": "print('a secret')"}


def count(name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.render().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_executions_are_counted_by_language_and_status(client: httpx.AsyncClient) -> None:
    name = 'sidecar_executions_total{language="python",status="ok"}'
    run = 'sidecar_run_seconds_count{language="python"}'
    before = count(name), count(run)
    await client.post("/v1/execute", json=SNIPPET)
    assert (count(name), count(run)) == (before[0] + 1, before[1] + 1)


async def test_refusals_are_counted_by_code(client: httpx.AsyncClient) -> None:
    name = 'sidecar_refused_total{code="unauthorized"}'
    before = count(name)
    await client.post("/v1/execute", json=SNIPPET, headers={"Authorization": "Bearer no"})
    assert count(name) == before + 1


async def test_nothing_of_a_snippet_is_in_the_counts(
    opened: Opened, engine: ScriptedEngine
) -> None:
    engine.runner = prints("a secret")
    async with opened() as client:
        await client.post("/v1/execute", json=SNIPPET | {"env": {"SECRET": "x"}})
        counts = (await client.get("/metrics")).text
    assert "secret" not in counts.lower()
