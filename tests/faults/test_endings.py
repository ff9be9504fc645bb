"""Programs that end at the worst moment or in the worst way: one verdict each, and none is ours."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from mini_agent.sandbox import Execution
from tests.docker.sidecar_process import HEADERS, sidecar
from tests.faults.invariants import watched
from tests.faults.services import Platform
from tests.flow.leaving import sandboxes

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

AT_ONCE = 4
BAD = (
    ":(){ :|:& };: ; wait",
    "tail /dev/zero",
    "kill -9 -1",
    "sleep 60",
    "kill -STOP $$",
    "cat /dev/zero",
    "kill -TERM 1; kill -KILL 1; exit 3",
    "exec 1>&- 2>&-; sleep 60",
)


def all_of(platform: Platform, programs: list[str], **limits: float) -> list[Execution]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asked = [threads.submit(platform.run, each, "bash", limits=limits) for each in programs]
        return [each.result() for each in asked]


def test_a_program_that_ends_at_its_deadline_has_one_verdict(platform: Platform) -> None:
    ran = all_of(platform, ["sleep 0.3"] * 12, timeout_s=0.3)
    assert {(each.status, each.exit_code) for each in ran} <= {("ok", 0), ("timeout", 124)}


def test_exit_codes_that_the_engine_uses_too_are_the_programs_own(platform: Platform) -> None:
    codes = [125, 126, 127, 137, 143]
    ran = all_of(platform, [f"exit {code}" for code in codes])
    assert [(each.status, each.exit_code, each.signal) for each in ran] == [
        ("nonzero", code, None) for code in codes
    ]


def test_programs_that_end_badly_are_outcomes_and_shrink_no_pool(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with (
        sidecar(tmp_path, warm='{"bash": 2}') as running,
        watched(running) as watch,
        watch.case(request.node),
        httpx.Client(base_url=running.url, headers=HEADERS, timeout=60, trust_env=False) as client,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        limits = {"timeout_s": 1, "output_bytes": 1000}
        asked = [
            threads.submit(
                client.post,
                "/v1/execute",
                json={"language": "bash", "code": code, "limits": limits},
            )
            for code in BAD
        ]
        answers = [each.result() for each in asked]
        assert {answer.status_code for answer in answers} == {httpx.codes.OK}
        until = time.monotonic() + 30
        # A burst raises what the pool holds, for a while.
        while not 2 <= level(client) == len(sandboxes(running)):
            assert time.monotonic() < until, (sandboxes(running), level(client))
            time.sleep(0.2)


def level(client: httpx.Client) -> int:
    cards = client.get("/v1/languages").json()["languages"]
    return int(next(card["warm"] for card in cards if card["name"] == "bash"))
