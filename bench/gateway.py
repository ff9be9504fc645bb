"""Measures what the gateway costs beside its servers: `python -m bench.gateway`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final, NamedTuple

import httpx
from mcp import Client, StdioServerParameters, stdio_client

from bench.cost import Cost, line, table
from bench.gateway_process import (
    CUT_SERVER,
    LONG_TIMEOUT_S,
    SERVER,
    SERVERS,
    RunningGateway,
    run_gateway,
)
from bench.samples import Samples
from mini_agent.messages import function_call
from mini_agent.tools.http import HttpToolsInvoker

CALLS: Final = 400
WARM_UP: Final = 30
ROUNDS: Final = 30
WARM_UP_ROUNDS: Final = 3
# Calls of each server at once: 50 of all five.
CALLS_PER_SERVER: Final = 10
HANGING_SERVER: Final = "s4"
POLL_INTERVAL_S: Final = 0.05
ONCE_CALLS: Final = 90
CONCURRENCY: Final = 15
Call = Callable[[], Awaitable[object]]


def main() -> int:
    """Prints a table, and the line of JSON last; 1 when something costs more than it may."""
    costs = asyncio.run(_measure())
    sys.stdout.write(f"{table(costs, 'gateway')}\n\n{line(costs)}\n")
    return 0 if all(cost.is_met for cost in costs) else 1


async def _measure() -> list[Cost]:
    with TemporaryDirectory(prefix="bench-gateway-") as folder:
        async with run_gateway(Path(folder)) as running:
            costs = [
                *await _measure_overhead(running),
                *await _measure_beside_hanging(running),
                *await _measure_once(running),
            ]
        left = Samples("processes left after it", [running.left])
    return [*costs, Cost("left", left, "", 0)]


async def _measure_overhead(running: RunningGateway) -> list[Cost]:
    arguments = {"key": "k" * 200}
    called = function_call("1", "s0__answer", {"key": "k" * 200})
    async with AsyncExitStack() as stack:
        environment = {"BENCH_NOTES": os.devnull}
        parameters = StdioServerParameters(
            command=sys.executable, args=[SERVER, "direct"], env=environment
        )
        direct = await stack.enter_async_context(Client(stdio_client(parameters)))
        http = await stack.enter_async_context(running.client())
        invoker = await stack.enter_async_context(HttpToolsInvoker(running.url))
        facade = await stack.enter_async_context(Client(f"{running.url}/mcp"))
        samples = await _run_in_turns(
            {
                "a call of a server by the SDK": lambda: direct.call_tool("answer", arguments),
                "the same through POST /invoke": lambda: _invoke(http, "s0__answer", **arguments),
                "the same by HttpToolsInvoker": lambda: invoker.call_openai_tool(called),
                "the same through /mcp by the SDK": lambda: facade.call_tool(
                    "s0__answer", arguments
                ),
            }
        )
    keys = ("direct_ms", "invoke_ms", "http_tools_invoker_ms", "mcp_ms")
    added = Samples("a call through POST /invoke, more than by the SDK")
    added.taken.append(samples[1].p50 - samples[0].p50)
    costs = [Cost(key, each, "ms") for key, each in zip(keys, samples, strict=True)]
    return [*costs, Cost("gateway_added_ms", added, "ms", 3)]


async def _run_in_turns(calls: dict[str, Call]) -> list[Samples]:
    samples = [Samples(label) for label in calls]
    for _ in range(WARM_UP + CALLS):
        for each, call in zip(samples, calls.values(), strict=True):
            each.taken.append(await _time(call()))
    for each in samples:
        del each.taken[:WARM_UP]
    return samples


async def _time(call: Awaitable[object]) -> float:
    began = perf_counter()
    await call
    return (perf_counter() - began) * 1000


async def _invoke(client: httpx.AsyncClient, tool: str, **arguments: object) -> str:
    answered = await client.post("/invoke", json={"name": tool, "arguments": arguments})
    return str(answered.raise_for_status().json()["text"])


async def _measure_beside_hanging(running: RunningGateway) -> list[Cost]:
    async with running.client() as client, running.client() as other:
        rounds = [await _run_round(running, client, other) for _ in range(WARM_UP_ROUNDS + ROUNDS)]
    del rounds[:WARM_UP_ROUNDS]
    ratio = Samples("p95 of a burst beside one that hangs, over beside one that answers")
    ratio.taken = [_p95(each.beside) / _p95(each.five) for each in rounds]
    more = Samples("p95 of a burst beside one that hangs, over without any fifth")
    more.taken = [_p95(each.beside) / _p95(each.four) for each in rounds]
    four = Samples("a call of four servers, 40 of them at once")
    five = Samples("the same beside 10 calls of a fifth server, which answers")
    beside = Samples("the same beside 10 calls of a fifth server, which hangs")
    for each in rounds:
        four.taken += each.four
        five.taken += each.five
        beside.taken += each.beside
    return [
        Cost("burst_of_40_ms", four, "ms"),
        Cost("burst_beside_one_ms", five, "ms"),
        Cost("burst_beside_one_hanging_ms", beside, "ms"),
        Cost("hanging_p95_ratio", ratio, "", 1.5),
        Cost("hanging_p95_ratio_to_40", more, "", 1.5),
    ]


class _RoundTimes(NamedTuple):
    four: list[float]
    five: list[float]
    beside: list[float]


async def _run_round(
    running: RunningGateway, client: httpx.AsyncClient, other: httpx.AsyncClient
) -> _RoundTimes:
    four = await _run_burst(client)
    async with _open_calls(other) as calls:
        five = await _run_burst(client)
        await asyncio.wait(calls)
    with _paused_process(running.processes[HANGING_SERVER]):
        async with _open_calls(other) as calls:
            beside = await _run_burst(client)
            _require_unanswered(calls)
    return _RoundTimes(four, five, beside)


def _p95(taken: list[float]) -> float:
    return Samples("", taken).p95


async def _run_burst(client: httpx.AsyncClient) -> list[float]:
    """How long each call of the four servers took, all made at once."""
    others = [name for name in SERVERS if name != HANGING_SERVER] * CALLS_PER_SERVER
    calls = (_require_result(client, name, str(key)) for key, name in enumerate(others))
    return await asyncio.gather(*(_time(call) for call in calls))


@asynccontextmanager
async def _open_calls(client: httpx.AsyncClient) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Calls of the fifth server, made at the same time; those not answered are given up."""
    calls = [
        asyncio.create_task(_require_result(client, HANGING_SERVER, str(key)))
        for key in range(CALLS_PER_SERVER)
    ]
    yield calls
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)


def _require_unanswered(calls: list[asyncio.Task[None]]) -> None:
    if any(call.done() for call in calls):
        raise AssertionError("a server that was stopped has answered")


async def _require_result(client: httpx.AsyncClient, name: str, key: str) -> None:
    result = await _invoke(client, f"{name}__answer", key=key)
    if result != key:
        raise AssertionError(f"{name} answered {result!r}, not {key!r}")


@contextmanager
def _paused_process(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _measure_once(running: RunningGateway) -> list[Cost]:
    """Calls that are answered, cut by the gateway, and left by their caller, in equal parts."""
    room = asyncio.Semaphore(CONCURRENCY)
    async with running.client() as client:
        await asyncio.gather(*(_retry_call(running, client, room, n) for n in range(ONCE_CALLS)))
    counted = [running.calls[f"key{n}"] for n in range(ONCE_CALLS)]
    label = f"of {ONCE_CALLS} calls, a third cut and a third left alone: not made exactly once"
    wrong = sum(count != 1 for count in counted)
    return [Cost("not_made_once", Samples(label, [wrong]), "", 0)]


async def _retry_call(
    running: RunningGateway, client: httpx.AsyncClient, room: asyncio.Semaphore, number: int
) -> None:
    key, is_answered, is_left = f"key{number}", number % 3 == 0, number % 3 == 1
    seconds = 0 if is_answered else LONG_TIMEOUT_S
    body = {"name": f"{CUT_SERVER}__take", "arguments": {"key": key, "seconds": seconds}}
    async with room:
        call = asyncio.create_task(client.post("/invoke", json=body))
        if is_left:
            while not running.calls[key]:  # noqa: ASYNC110  it tells nobody else
                await asyncio.sleep(POLL_INTERVAL_S)
            call.cancel()
            await asyncio.wait({call})
            return
        answered = await call
    expected = httpx.codes.OK if is_answered else httpx.codes.GATEWAY_TIMEOUT
    if answered.status_code != expected:
        raise AssertionError(f"{key}: HTTP {answered.status_code}: {answered.text}")


if __name__ == "__main__":
    sys.exit(main())
