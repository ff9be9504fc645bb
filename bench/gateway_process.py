"""A gateway over servers that count, for `bench.gateway`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Final

import httpx

SERVERS: Final = ("s0", "s1", "s2", "s3", "s4")
# The one whose calls may take no longer than CUT_S.
CUT_SERVER: Final = "cut"
CUT_S: Final = 3.0
LONG_TIMEOUT_S: Final = 60.0
SERVER: Final = str(Path(__file__).with_name("gateway_server.py"))


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway over six servers, and the file in which these note what happens to them."""

    url: str
    notes: Path

    @property
    def processes(self) -> dict[str, int]:
        """The servers' process ids by their names."""
        pids = re.findall(r"^server (\S+) (\d+)$", self.notes.read_text(), re.MULTILINE)
        return {name: int(pid) for name, pid in pids}

    @property
    def left(self) -> int:
        """How many of them are still there."""
        return sum(Path(f"/proc/{pid}").exists() for pid in self.processes.values())

    @property
    def calls(self) -> Counter[str]:
        """How often each key was taken."""
        return Counter(re.findall(r"^call (\S+)$", self.notes.read_text(), re.MULTILINE))

    def client(self) -> httpx.AsyncClient:
        """A client that keeps its connections."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=LONG_TIMEOUT_S)


@asynccontextmanager
async def run_gateway(folder: Path) -> AsyncIterator[RunningGateway]:
    """`mini-agent gateway` as a process, once all its servers run."""
    notes = folder / "notes"
    notes.touch()
    (folder / "config.toml").write_text(_configuration(notes))
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("mini-agent"),
        *("gateway", "--config", folder / "config.toml", "--port", str(port)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    running = RunningGateway(f"http://127.0.0.1:{port}", notes)
    try:
        await _wait_until_ready(running)
        yield running
    finally:
        process.terminate()
        await process.wait()


def _configuration(notes: Path) -> str:
    return "".join(
        f"[mcp_servers.{name}]\ncommand = {json.dumps(sys.executable)}\n"
        f"args = {json.dumps([SERVER, name])}\n"
        f"env = {{ BENCH_NOTES = {json.dumps(str(notes))} }}\n"
        f"tool_timeout_sec = {CUT_S if name == CUT_SERVER else LONG_TIMEOUT_S}\n"
        for name in (*SERVERS, CUT_SERVER)
    )


async def _wait_until_ready(running: RunningGateway) -> None:
    async with asyncio.timeout(LONG_TIMEOUT_S), running.client() as client:
        while not await _is_ready(client):  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.1)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        servers = (await client.get("/health")).json()["servers"]
    except httpx.ConnectError:
        return False
    return all(server["state"] == "running" for server in servers)
