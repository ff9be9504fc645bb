"""Gateways over real MCP servers: ours, and those of npm."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import uvicorn

from mini_agent.mcp.gateway.catalog import Gateway
from mini_agent.mcp.gateway.configuration import load_configuration
from mini_agent_shim.http.auth import AccessPolicy, ApiTokens, own_host_names
from mini_agent_shim.mcp.gateway_app import GatewayApp
from mini_agent_shim.mcp.gateway_main import listen
from tests.tools import conftest as tools

SERVER = tools.SERVER
COMMAND = str(Path(sys.executable).with_name("mini-agent"))

T = TypeVar("T")

from_npm = tools.from_npm
notes = tools.notes


def ours(name: str, *arguments: str, notes: str = "", **more: object) -> str:
    """The table of a server of ours, tests/tools/mcp_server_here.py."""
    lines = [f"[mcp_servers.{name}]", f"command = {json.dumps(sys.executable)}"]
    lines.append(f"args = {json.dumps([SERVER, *arguments])}")
    lines += [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    if notes:
        lines.append(f"env = {{ MCP_TEST_NOTES = {json.dumps(notes)} }}")
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def gateway_over(
    folder: Path, text: str, token: str = "", **variables: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway in this process; its `base_url` is where it is."""
    path = folder / "config.toml"
    path.write_text(text)
    configuration = load_configuration([path], os.environ | variables)
    async with Gateway(configuration) as gateway:
        policy = AccessPolicy(
            own_host_names(()), ApiTokens(token, {}), "gateway", "MINI_AGENT_GATEWAY_TOKEN"
        )
        app = GatewayApp(gateway, policy).app()
        with listen("127.0.0.1", 0) as listener:
            config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listener]))
            while not server.started:  # noqa: ASYNC110  uvicorn tells nobody
                await asyncio.sleep(0.01)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with httpx.AsyncClient(
                base_url=url, headers=headers, timeout=60, trust_env=False
            ) as client:
                yield client
            server.should_exit = True
            await serving


async def invoke(client: httpx.AsyncClient, name: str, **arguments: object) -> dict[str, object]:
    """What a call answers, which has to be a 200."""
    answered = await client.post("/invoke", json={"name": name, "arguments": arguments})
    assert answered.status_code == 200, answered.text
    said: dict[str, object] = answered.json()
    return said


async def names(client: httpx.AsyncClient) -> list[str]:
    return [tool["function"]["name"] for tool in (await client.get("/tools")).json()]


async def statuses(client: httpx.AsyncClient) -> dict[str, dict[str, object]]:
    listed = (await client.get("/health")).json()["servers"]
    return {server["name"]: server for server in listed}


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Returns when it holds; what it depends on are other processes."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  they tell nobody
            await asyncio.sleep(0.1)


async def count_done(calls: Sequence[asyncio.Task[T]], wanted: int) -> int:
    """How many are done, a moment after so many were."""

    async def are_done() -> bool:
        return sum(call.done() for call in calls) >= wanted

    await until(are_done)
    await asyncio.sleep(0.5)
    return sum(call.done() for call in calls)


def children() -> set[int]:
    """The child processes of this one."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        # A thread may end meanwhile; its children are another's then.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@asynccontextmanager
async def gateway(
    *arguments: str, cwd: Path | None = None
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`mini-agent gateway` as a process, and its address."""
    port = tools.free_port()
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *("gateway", "--port", str(port), *arguments),
        cwd=cwd,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.to_thread(tools.until_it_listens, port)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def client_at(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)
