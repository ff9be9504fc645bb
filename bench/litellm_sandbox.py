"""Our sandbox beside LiteLLM's own docker sandbox, in turn: `python -m bench.litellm_sandbox`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Final, Protocol

from bench.options import Options
from bench.samples import Samples
from bench.stack import Stack, stack
from mini_agent.models.litellm_runtime import (
    close_litellm_clients,
    flush_litellm_logging,
    import_litellm,
)
from mini_agent.provider.harness.sandbox import SidecarSandbox

WARM: Final = {"python": 2}
WARM_UP: Final = 2
# The same image for both, without the runner that ours starts in it.
IMAGE: Final = "mini-agent/bench-litellm:local"
RUNS: Final = """
from itertools import groupby
print("".join(f"{letter}{len(list(run))}" for letter, run in groupby("aaabbc")))
"""
COMMAND: Final = ("python3", "-c", RUNS)
RESULT: Final = "a3b2c1\n"


class CommandResult(Protocol):
    """What came of a command."""

    @property
    def stdout(self) -> str:
        """What it printed."""
        ...


class HarnessSandbox(Protocol):
    """LiteLLM's protocol, as far as it is measured."""

    async def run(self, cmd: Sequence[str]) -> CommandResult:
        """Runs a command."""
        ...

    async def read(self, path: str) -> bytes:
        """A file's content."""
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Makes a file."""
        ...

    async def snapshot(self) -> Mapping[str, str]:
        """The digests of all files."""
        ...

    async def close(self) -> None:
        """Ends it."""
        ...


Use = Callable[[], Awaitable[None]]


def main() -> int:
    """Prints a table."""
    options = Options()
    _make_image(options.image("python"))
    try:
        samples = asyncio.run(_measure(options))
    finally:
        subprocess.run(["docker", "rmi", "-f", IMAGE], capture_output=True, check=False)
    sys.stdout.write(_table(samples))
    return 0


async def _measure(options: Options) -> list[Samples]:
    docker = import_litellm().sandbox.docker
    async with stack(options, WARM) as running:
        url, token = f"http://127.0.0.1:{running.address.port}", running.address.token
        async with (
            SidecarSandbox(url, token) as ours,
            _open_sandbox(docker(IMAGE)) as theirs,
        ):
            uses = [
                *_uses("ours", ours, lambda: SidecarSandbox(url, token)),
                ("ours: the same by exec_python", lambda: _python(ours)),
                ("ours: code_interpreter (OpenSandbox), whole", lambda: _interpreter(url, token)),
                *_uses("litellm docker", theirs, lambda: docker(IMAGE)),
            ]
            samples = [Samples(label) for label, _ in uses]
            await _run_in_turns(options.n, running, uses, samples)
        await flush_litellm_logging()
        await close_litellm_clients()
    return samples


async def _run_in_turns(
    times: int, running: Stack, uses: Sequence[tuple[str, Use]], samples: Sequence[Samples]
) -> None:
    for number in range(WARM_UP + times):
        for (_, use), taken in zip(uses, samples, strict=True):
            await running.wait_until_full()
            began = perf_counter()
            await use()
            if number >= WARM_UP:
                taken.taken.append((perf_counter() - began) * 1000)


def _uses(
    name: str, box: HarnessSandbox, make: Callable[[], HarnessSandbox]
) -> Iterator[tuple[str, Use]]:
    yield f"{name}: run python3 -c, in an open sandbox", lambda: _run(box)
    yield f"{name}: write and read a file", lambda: _files(box)
    yield f"{name}: snapshot", lambda: _snapshot(box)
    yield f"{name}: open, run python3 -c, close", lambda: _full_use(make())


async def _run(box: HarnessSandbox) -> None:
    _require((await box.run(COMMAND)).stdout)


async def _python(box: SidecarSandbox) -> None:
    _require(await box.exec_python(RUNS) + "\n")


async def _files(box: HarnessSandbox) -> None:
    await box.write("runs.txt", RESULT.encode())
    _require((await box.read("runs.txt")).decode())


async def _snapshot(box: HarnessSandbox) -> None:
    await box.snapshot()


async def _full_use(box: HarnessSandbox) -> None:
    async with _open_sandbox(box):
        await _run(box)


async def _interpreter(url: str, token: str) -> None:
    ran = await import_litellm().acode_interpreter_tool(
        "opensandbox", RUNS, api_base=f"{url}/v1", api_key=token
    )
    _require(ran.stdout)


def _require(printed: str) -> None:
    if printed != RESULT:
        raise SystemExit(f"{printed!r} was printed instead of {RESULT!r}")


@asynccontextmanager
async def _open_sandbox(box: HarnessSandbox) -> AsyncIterator[HarnessSandbox]:
    try:
        yield box
    finally:
        await box.close()


def _make_image(image: str) -> None:
    recipe = f"FROM {image}\nENTRYPOINT []\n"
    command = ["docker", "build", "-q", "-t", IMAGE, "-"]
    subprocess.run(command, input=recipe.encode(), check=True, capture_output=True)


def _table(samples: Sequence[Samples]) -> str:
    count, load = len(samples[0].taken), os.getloadavg()[0]
    lines = [f"{'ms':52}{'p50':>9}{'p95':>9}"]
    lines += [f"{each.label:52}{each.p50:9.1f}{each.p95:9.1f}" for each in samples]
    return "\n".join([*lines, f"{count} times each, in turn; load average {load:.2f}\n"])


if __name__ == "__main__":
    sys.exit(main())
