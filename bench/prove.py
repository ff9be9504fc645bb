"""Proves the sandboxes of this machine: `python -m bench.prove [--to proof.html]`, or `make prove`.

Every case is asked of the service over HTTP; one page says what became of it. Exits with 1 where
a case is not as it should be.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from bench.baselines import HOST_PYTHON
from bench.http_connection import snippet_body
from bench.machine import read_machine
from bench.page import page
from bench.programs import CHANGING_PROGRAMS, PANDAS
from bench.proof import Proof, Verdict
from bench.samples import Samples
from bench.service import Service, find_service
from mini_agent.sandbox import Execution
from tests.cases.case import Suite
from tests.cases.court import EXECUTE, JSON, Court, Place
from tests.cases.more import more_suites
from tests.cases.own import own_suites
from tests.cases.service import languages_of

SAMPLES: Final = 15
PAUSE_S: Final = 0.4
TIMED_SNIPPETS: Final = (
    ("python print(1)", snippet_body("python", "print(1)")),
    ("python, clean interpreter", snippet_body("python", "print(1)", isolation="spawn")),
    ("python with numpy and pandas", snippet_body("python", PANDAS)),
    ("node console.log(1)", snippet_body("node", "console.log(1)")),
    ("bash echo 1", snippet_body("bash", "echo 1")),
    ("go, compile and run", snippet_body("go", CHANGING_PROGRAMS["go"].code(1))),
    ("rust, compile and run", snippet_body("rust", CHANGING_PROGRAMS["rust"].code(1))),
)


def main() -> None:
    """Writes the page, and says where it is."""
    parser = argparse.ArgumentParser(prog="python -m bench.prove", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("proof.html"), help="the page to write")
    parser.add_argument("--at-once", type=int, default=4, help="cases at a time")
    options = parser.parse_args()
    proof = asyncio.run(prove(options.at_once))
    options.to.write_text(page(proof), encoding="utf-8")
    passed, failed, skipped = proof.count()
    for suite, judgement in proof.failed:
        sys.stdout.write(f"FAILED {suite}: {judgement.case.id}: {judgement.faults[0][:200]}\n")
    sys.stdout.write(f"{passed} as expected, {failed} not, {skipped} not asked: {options.to}\n")
    raise SystemExit(1 if failed else 0)


async def prove(at_once: int) -> Proof:
    """Everything, of the service that is found."""
    began = time.monotonic()
    here = await read_machine()
    async with find_service() as service, _client(service) as client:
        cards = await languages_of(client)
        packages = frozenset(name.lower() for card in cards for name in card.packages)
        latencies = await _latencies(client)
        runtime = (await _execution(client, TIMED_SNIPPETS[0][1])).sandbox.runtime
        verdicts = await _verdicts(Court(client, Place(packages, runtime), at_once))
    return Proof(
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        service=service.found,
        runtime=runtime,
        versions=tuple((card.name, card.version) for card in cards),
        machine=here,
        verdicts=verdicts,
        latencies=latencies,
        seconds=time.monotonic() - began,
    )


def _client(service: Service) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {service.token}"}
    return httpx.AsyncClient(base_url=service.url, headers=headers, timeout=120, trust_env=False)


async def _verdicts(court: Court) -> tuple[Verdict, ...]:
    suites: Sequence[Suite] = (*own_suites("abuse"), *own_suites("programs"), *more_suites())
    verdicts = []
    for suite in suites:
        verdicts.append(Verdict(suite.name, await court.judge(suite.cases)))
        sys.stderr.write(f"{suite.name}: {verdicts[-1].passed} of {len(suite.cases)}\n")
    return tuple(verdicts)


async def _latencies(client: httpx.AsyncClient) -> tuple[Samples, ...]:
    """Each in turn, with a pause in which the pool fills up again."""
    host = Samples(f"host {HOST_PYTHON} -c 'print(1)'")
    rows = [(Samples(label), body) for label, body in TIMED_SNIPPETS]
    for _ in range(SAMPLES):
        if Path(HOST_PYTHON).exists():  # noqa: ASYNC240 - nothing else happens meanwhile
            host.taken.append(_host())
        for row, body in rows:
            await asyncio.sleep(PAUSE_S)
            began = time.perf_counter()
            await _execution(client, body)
            row.taken.append((time.perf_counter() - began) * 1000)
    return (*([host] if host.taken else []), *(row for row, _ in rows))


async def _execution(client: httpx.AsyncClient, body: bytes) -> Execution:
    answer = await client.post(EXECUTE, content=body, headers=JSON)
    answer.raise_for_status()
    return Execution.model_validate_json(answer.content)


def _host() -> float:
    began = time.perf_counter()
    subprocess.run([HOST_PYTHON, "-c", "print(1)"], capture_output=True, check=True)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
