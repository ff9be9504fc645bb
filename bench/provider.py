"""Measures what the provider costs beside model and sandbox: `python -m bench.provider`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.cost import Cost, line, table
from bench.samples import Samples
from mini_agent.events import Stopped
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import close_litellm_clients, import_litellm
from mini_agent.provider.install import install
from mini_agent.provider.parameters import LiteLLMCall
from mini_agent.provider.run import prepare_run
from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.replies import JsonObject, ScriptedReply

TURNS: Final = 8
RUNS: Final = 40
WARM_UP: Final = 3
STARTS: Final = 15
ROOT: Final = Path(__file__).parents[1]

IMPORTS: Final = """
import sys, time
began = time.perf_counter()
{imports}
print((time.perf_counter() - began) * 1000)
assert "litellm" not in sys.modules
"""
ADDS: Final = """
import site, sysconfig, time
folder = sysconfig.get_path("purelib")
for _ in range(100):
    began = time.perf_counter()
    for _ in range(100):
        site.addpackage(folder, "mini-agent-litellm.pth", set())
    print((time.perf_counter() - began) * 10_000)
"""


def main() -> int:
    """Prints a table, and the line of JSON last; 1 when something costs more than it may."""
    costs = [*asyncio.run(_turns()), *_imports(), *_starts()]
    sys.stdout.write(f"{table(costs, 'provider')}\n\n{line(costs)}\n")
    return 0 if all(cost.is_met for cost in costs) else 1


async def _turns() -> list[Cost]:
    install()
    whole = Samples("an iteration through litellm.acompletion, all but model and tool")
    streamed = Samples("the same as a stream's events")
    with ScriptedServer(_eight_turns) as server:
        for _ in range(WARM_UP + RUNS):
            whole.taken.append(await _completion(server.url))
            streamed.taken.append(await _events(server.url))
    await close_litellm_clients()
    del whole.taken[:WARM_UP], streamed.taken[:WARM_UP]
    return [
        Cost("provider_iteration_ms", whole, "ms", 5),
        Cost("provider_stream_iteration_ms", streamed, "ms", 5),
    ]


def _eight_turns(messages: list[JsonObject]) -> ScriptedReply | str:
    count = sum(message["role"] == "assistant" for message in messages)
    return call("echo", text=f"number {count}") if count < TURNS - 1 else "Done."


async def _completion(address: str) -> float:
    began = perf_counter()
    response = await import_litellm().acompletion(
        model="mini-agent",
        messages=[user("Go.")],
        target_model="ollama/m",
        tool_backend="echo",
        api_base=address,
    )
    taken = (perf_counter() - began) * 1000
    spent = response.mini_agent["metrics"]
    return float(taken - spent["model_ms"] - spent["tool_ms"]) / TURNS


async def _events(address: str) -> float:
    parameters = {"target_model": "ollama/m", "tool_backend": "echo", "api_base": address}
    began = perf_counter()
    run = prepare_run(LiteLLMCall(model="default", messages=[user("Go.")], parameters=parameters))
    events = [event async for event in run.events()]
    taken = (perf_counter() - began) * 1000
    (result,) = [event.result for event in events if isinstance(event, Stopped)]
    return (taken - result.model_ms - result.tool_ms) / TURNS


def _imports() -> Iterator[Cost]:
    package = "import mini_agent"
    names = "from mini_agent import AgentConfig, LocalMCPInvoker, run_mcp_mini_agent"
    alone = Samples(f"`{package}`, LiteLLM not loaded")
    used = Samples(f"`{names}`, LiteLLM not loaded")
    for _ in range(STARTS):
        alone.taken += _printed(IMPORTS.format(imports=package))
        used.taken += _printed(IMPORTS.format(imports=names))
    yield Cost("import_ms", alone, "ms", 150)
    yield Cost("import_names_ms", used, "ms")


def _starts() -> Iterator[Cost]:
    unset = Samples("the .pth at a start of Python, LITELLM_ENABLE_MINI_AGENT unset")
    unset.taken += _printed(ADDS)
    yield Cost("pth_unset_us", unset, "us", 60)
    without, armed = Samples(""), Samples("a start of Python where it is set, more than unset")
    for _ in range(STARTS):
        without.taken.append(_start_ms())
        armed.taken.append(_start_ms(LITELLM_ENABLE_MINI_AGENT="1") - without.p50)
    yield Cost("pth_set_ms", armed, "ms")


def _start_ms(**variables: str) -> float:
    began = perf_counter()
    _printed("pass", **variables)
    return (perf_counter() - began) * 1000


def _printed(program: str, **variables: str) -> list[float]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LITELLM_")}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=plain | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line) for line in ran.stdout.split()]


if __name__ == "__main__":
    sys.exit(main())
