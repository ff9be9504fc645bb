"""Runs over the stack that is up (`make up MODEL=demo`), 50 at a time: `python -m bench.runs`.

The model is scripted and listens where the shim's container reaches it. `--restart` restarts the
shim when half of the runs have begun, and `--kill` kills it: each run has to be done then, or
marked as interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import httpx

from bench.cost import Cost, line, table
from bench.runs_log import LoggedRuns, read_runs
from bench.runs_stack import (
    Memory,
    count_executions,
    count_left_sandboxes,
    host_address,
    kill_shim,
    read_memory,
    restart_shim,
    shim_process,
)
from bench.samples import Samples
from mini_agent.testing import ScriptedReply, ScriptedServer, call, text
from mini_agent.testing.replies import JsonObject

SHIM: Final = "http://127.0.0.1:8788"
CONCURRENCY: Final = 50
PER_RUNS: Final = 100
WARM_UP: Final = 50
TIMEOUT_S: Final = 300.0
RETRY_INTERVAL_S: Final = 0.5
RETRY_STATUSES: Final = (429, 503)
MAX_LATENCY_RATIO: Final = 1.25
MAX_GROWTH_MIB: Final = 16.0

EndShim = Callable[[], Awaitable[None]]


def scripted_reply(messages: list[JsonObject]) -> ScriptedReply:
    """Call a program for a number, then answer with its output."""
    prompt = next(each["content"] for each in messages if each["role"] == "user")
    if messages[-1]["role"] == "tool":
        output = str(messages[-1]["content"])
        return text(f"It is {' '.join(output.partition('stdout:')[2].split()[:1])}.")
    return call("exec_python", code=f"print({str(prompt).split()[-1]} * 7)")


@dataclass(slots=True)
class Batch:
    """A number of runs, each with its own idempotency key, requested again until it is answered."""

    client: httpx.AsyncClient
    model: str
    name: str
    runs: int
    begun: int = 0
    took: dict[int, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Run all of them, `CONCURRENCY` at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CONCURRENCY, self.runs)):
                group.create_task(self._some())

    async def wait_until_begun(self, share: float) -> None:
        """Return when this share of them has been requested."""
        while self.begun < self.runs * share:  # noqa: ASYNC110  it only counts
            await asyncio.sleep(RETRY_INTERVAL_S / 10)

    async def _some(self) -> None:
        while self.begun < self.runs:
            number, self.begun = self.begun, self.begun + 1
            began = perf_counter()
            async with asyncio.timeout(TIMEOUT_S):
                while not await self._is_answered(number):  # noqa: ASYNC110  it is asked again
                    await asyncio.sleep(RETRY_INTERVAL_S)
            self.took[number] = (perf_counter() - began) * 1000

    async def _is_answered(self, number: int) -> bool:
        body = {
            "messages": [{"role": "user", "content": f"{self.name} times seven: {number}"}],
            "model": "openai/scripted",
            "api_base": self.model,
            "api_key": "none",
        }
        key = {"Idempotency-Key": f"{self.name}-{number}"}
        try:
            answer = await self.client.post("/agent/run", json=body, headers=key)
        except httpx.TransportError:
            return False
        return answer.status_code not in RETRY_STATUSES


def main() -> int:
    """Print a table, then a line of JSON; returns 1 if a limit is not met."""
    parser = argparse.ArgumentParser(prog="python -m bench.runs")
    parser.add_argument("--runs", type=int, default=500)
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--restart", dest="end", action="store_const", const=restart_shim)
    ends.add_argument("--kill", dest="end", action="store_const", const=kill_shim)
    options = parser.parse_args()
    costs = asyncio.run(_measure(options.runs, options.end))
    sys.stdout.write(f"{table(costs, 'runs')}\n\n{line(costs)}\n")
    return 0 if all(cost.is_met for cost in costs) else 1


async def _measure(runs: int, end: EndShim | None) -> list[Cost]:
    here = await host_address()
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    with ScriptedServer(scripted_reply, host=here) as model:
        async with httpx.AsyncClient(
            base_url=SHIM, timeout=TIMEOUT_S, limits=limits, trust_env=False
        ) as client:
            await Batch(client, model.openai_url, f"warm{secrets.token_hex(4)}", WARM_UP).run()
            batch = Batch(client, model.openai_url, f"b{secrets.token_hex(4)}", runs)
            return await _measure_batch(batch, end)


async def _measure_batch(batch: Batch, end: EndShim | None) -> list[Cost]:
    ran, before = await count_executions(), await read_memory()
    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(batch.run())
        ended = None if end is None else group.create_task(_end_shim(batch, end))
    seconds = perf_counter() - began
    left, seen = await count_left_sandboxes(), await read_runs(batch.client, batch.name)
    more = await count_executions() - ran - batch.runs
    return [
        *_count_costs(batch, seen, ends=end is not None),
        _cost("programs_more", "programs that the sidecar ran more than once", max(0, more), 0),
        _cost("sandboxes_left", "sandboxes left after it", left, 0),
        *([] if ended is None else ended.result()),
        *_time_costs(batch, seconds, ends=end is not None),
        *_memory_costs(before, await read_memory(), ends=end is not None),
    ]


async def _end_shim(batch: Batch, end: EndShim) -> list[Cost]:
    await batch.wait_until_begun(0.5)
    first, answered, began = await shim_process(), len(batch.took), perf_counter()
    await end()
    if await shim_process() == first:
        raise SystemExit("the shim is the process that it was before")
    return [
        _cost("answered_before", "answered when it was told to end", answered),
        _cost("end_s", "seconds until there was another shim", perf_counter() - began),
    ]


def _count_costs(batch: Batch, seen: LoggedRuns, *, ends: bool) -> list[Cost]:
    over = seen.states["done"] + seen.states["interrupted"]
    total = sum(seen.states.values())
    most_interrupted = None if ends else 0
    return [
        _cost("lost", f"of {batch.runs} runs: lost", batch.runs - len(seen.prompts), 0),
        _cost("twice", "begun twice", total - len(seen.prompts), 0),
        _cost("ran_twice", "whose program was run twice", seen.programs_twice, 0),
        _cost("not_over", "neither done nor interrupted", total - over, 0),
        _cost("interrupted", "interrupted", seen.states["interrupted"], most_interrupted),
        _cost("wrong", "done with a wrong answer", seen.wrong, 0),
        _cost("unreadable", "that cannot be read to their end", seen.unreadable, 0),
    ]


def _time_costs(batch: Batch, seconds: float, *, ends: bool) -> list[Cost]:
    took = [batch.took[number] for number in sorted(batch.took)]
    first = Samples("a run of the first hundred", took[:PER_RUNS])
    last = Samples("a run of the last hundred", took[-PER_RUNS:])
    ratio = last.p95 / first.p95
    return [
        Cost("first_ms", first, "ms"),
        Cost("last_ms", last, "ms"),
        _cost(
            "p95_ratio",
            "p95 of the last over the first",
            ratio,
            None if ends else MAX_LATENCY_RATIO,
        ),
        _cost("runs_per_s", "runs a second", batch.runs / seconds),
    ]


def _memory_costs(before: Memory, after: Memory, *, ends: bool) -> list[Cost]:
    grown = after.shim - before.shim
    return [
        _cost("shim_mib", "memory of the shim before, MiB", before.shim),
        _cost("shim_grown_mib", "more after it, MiB", grown, None if ends else MAX_GROWTH_MIB),
        _cost("sidecar_mib", "memory of the sidecar before, MiB", before.sidecar),
        _cost(
            "sidecar_grown_mib",
            "more after it, MiB",
            after.sidecar - before.sidecar,
            MAX_GROWTH_MIB,
        ),
    ]


def _cost(key: str, label: str, value: float, allowed: float | None = None) -> Cost:
    return Cost(key, Samples(label, [value]), "", allowed)


if __name__ == "__main__":
    sys.exit(main())
