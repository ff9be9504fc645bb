"""A stack of the bench's own: guard and sidecar as processes, from the working tree."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.http_connection import Address, HttpConnection
from bench.options import Options

START_TIMEOUT_S: Final = 120.0
FULL_TIMEOUT_S: Final = 180.0
POLL_INTERVAL_S: Final = 0.02
SETTLE_S: Final = 0.15


@dataclass(frozen=True, slots=True)
class Stack:
    """A running sidecar and the number of sandboxes it keeps warm by kind."""

    address: Address
    instance: str
    sidecar: int
    guard: int
    warm: Mapping[str, int]
    counts: HttpConnection

    async def wait_until_full(self) -> None:
        """Return when all of them are warm and nothing is left to do."""
        async with asyncio.timeout(FULL_TIMEOUT_S):
            while True:
                levels = await self.levels()
                if all(levels.get(kind, 0) >= number for kind, number in self.warm.items()):
                    break
                await asyncio.sleep(POLL_INTERVAL_S)
        await asyncio.sleep(SETTLE_S)

    async def levels(self) -> dict[str, int]:
        """The number of warm sandboxes by kind."""
        metrics = (await self.counts.request("GET", "/metrics")).body.decode()
        lines = (line for line in metrics.splitlines() if line.startswith("sidecar_pool_level{"))
        return {line.split('"')[1]: int(float(line.rsplit(" ", 1)[1])) for line in lines}


@asynccontextmanager
async def stack(
    options: Options, warm: Mapping[str, int], runtime: str = "runc"
) -> AsyncIterator[Stack]:
    """Start guard and sidecar; on exit both are stopped and their sandboxes removed."""
    folder = Path(tempfile.mkdtemp(prefix="mini-agent-bench-"))
    instance, token = f"bench-{secrets.token_hex(4)}", secrets.token_hex(16)
    (folder / "token").write_text(token)
    address = Address("127.0.0.1", _free_port(), token)
    gate = str(folder / "engine.sock")
    common = {"INSTANCE": instance, "RUNTIME": runtime, "IMAGE_PREFIX": options.images}
    guard = common | {"SOCKET": gate, "DOCKER_SOCKET": options.socket}
    sidecar = common | {
        "PORT": str(address.port),
        "TOKEN_FILE": str(folder / "token"),
        "DOCKER_SOCKET": gate,
        "WARM": json.dumps(dict(warm)),
        "WARM_CAP": str(max(*warm.values(), 32) + 2),
    }
    log = folder / "log"
    try:
        async with (
            _process("codex_sidecar.guard", _environment("CODEX_GUARD_", guard), log) as guarding,
            _wait_for_guard(gate, log),
            _process("codex_sidecar", _environment("CODEX_SIDECAR_", sidecar), log) as serving,
            _metrics_connection(address, log) as counts,
        ):
            yield Stack(address, instance, serving.pid, guarding.pid, warm, counts)
    finally:
        shutil.rmtree(folder)


def _environment(prefix: str, settings: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}{name}": value for name, value in settings.items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _process(
    module: str, variables: Mapping[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    # Another process group: Ctrl-C reaches the bench alone, which then stops them in order.
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            env=os.environ | variables,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


@asynccontextmanager
async def _wait_for_guard(gate: str, log: Path) -> AsyncIterator[None]:
    async with _start_timeout("the guard", log):
        while not await asyncio.to_thread(Path(gate).exists):  # noqa: ASYNC110 - it is a file
            await asyncio.sleep(POLL_INTERVAL_S)
    yield


@asynccontextmanager
async def _metrics_connection(address: Address, log: Path) -> AsyncIterator[HttpConnection]:
    connection = await _connect(address, log)
    try:
        yield connection
    finally:
        await connection.close()


async def _connect(address: Address, log: Path) -> HttpConnection:
    async with _start_timeout("the sidecar", log):
        while True:
            try:
                connection = await HttpConnection.open(address)
            except OSError:
                await asyncio.sleep(POLL_INTERVAL_S)
                continue
            if (await connection.request("GET", "/readyz")).status == 200:
                return connection
            await connection.close()
            await asyncio.sleep(0.5)


@asynccontextmanager
async def _start_timeout(who: str, log: Path) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            yield
    except TimeoutError:
        output = (await asyncio.to_thread(log.read_text))[-2000:]
        raise SystemExit(
            f"{who} is not ready after {START_TIMEOUT_S:.0f} s; it said:\n{output}"
        ) from None
