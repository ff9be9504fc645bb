"""Many callers at once: each gets its own answer, or is told when to come back."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path

import httpx
import pytest

from mini_agent.sandbox import Execution
from tests.docker.sidecar_process import Sidecar, sidecar
from tests.faults.invariants import watched

pytestmark = pytest.mark.docker

CALLERS = 100


@pytest.mark.timeout(400)
async def test_a_hundred_at_once_are_all_answered_none_lost_and_none_twice(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with (
        sidecar(tmp_path, at_once="4", waiting="40") as service,
        watched(service) as watch,
        watch.case(request.node),
    ):
        async with service.client() as client, asyncio.TaskGroup() as group:
            calls = [group.create_task(said(client, number)) for number in range(CALLERS)]
        answers = [call.result() for call in calls]
        kinds = Counter(answer.status_code for answer in answers)
        assert set(kinds) == {200, 429}
        assert kinds[200] >= 44
        assert await executions(service) == kinds[200]
        for number, answer in enumerate(answers):
            require_own_answer(number, answer)
        await until_none_is_left(service)


async def said(client: httpx.AsyncClient, number: int) -> httpx.Response:
    snippet = {"language": "bash", "code": f"echo caller {number}"}
    headers = {"X-Caller": f"caller-{number}"}
    return await client.post("/v1/execute", json=snippet, headers=headers)


def require_own_answer(number: int, answer: httpx.Response) -> None:
    """What it asked for, or when to ask again."""
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        assert int(answer.headers["Retry-After"]) >= 1
        return
    assert Execution.model_validate_json(answer.content).stdout == f"caller {number}\n"


async def executions(service: Sidecar) -> int:
    """How many snippets the service itself says that it has run, but for its own test."""
    async with service.client() as client:
        counts = (await client.get("/metrics")).text
    found = re.findall(
        r'^sidecar_executions_total\{language="bash".*\} ([0-9.]+)$', counts, re.MULTILINE
    )
    return int(sum(map(float, found)))


async def until_none_is_left(service: Sidecar) -> None:
    async with asyncio.timeout(60):
        while await service.containers():  # noqa: ASYNC110 - an engine is asked
            await asyncio.sleep(0.2)
