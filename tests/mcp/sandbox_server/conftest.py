"""A real sidecar, and MCP clients of `mini-agent mcp` in front of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from mini_agent.mcp.sandbox_server.server import ClientSessions, create_sandbox_server
from mini_agent.sandbox import USUAL_LANGUAGES, SidecarClient
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)

ConnectMode: TypeAlias = Literal["auto", "legacy"]
COMMAND = str(Path(sys.executable).with_name("mini-agent"))


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar in a process of its own."""
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


def environment(url: str) -> dict[str, str]:
    """What the server is told of the sidecar."""
    return {"MINI_AGENT_SIDECAR_URL": url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN}


def by_command(variables: Mapping[str, str], mode: ConnectMode = "auto") -> Client:
    """A client that starts `mini-agent mcp` and speaks on its stdin and stdout.

    `legacy` is the protocol of most clients, `auto` the newest.
    """
    parameters = StdioServerParameters(command=COMMAND, args=["mcp"], env=dict(variables))
    return Client(stdio_client(parameters), mode=mode)


@asynccontextmanager
async def owned(opening: Client) -> AsyncIterator[Client]:
    """The client, entered and left by one task, as the SDK wants it: a fixture has two."""
    connected = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def own() -> None:
        async with opening as client:
            connected.set_result(client)
            await over.wait()

    owner = asyncio.create_task(own())
    await asyncio.wait({owner, connected}, return_when=asyncio.FIRST_COMPLETED)
    if owner.done():
        owner.result()
    yield connected.result()
    over.set()
    await owner


@pytest.fixture
async def client(real: Sidecar) -> AsyncIterator[Client]:
    """A client of the same server in this process, which starts faster."""
    async with SidecarClient(real.url, TOKEN) as sandboxes:
        sessions = ClientSessions(lambda: sandboxes)
        server = create_sandbox_server(sessions, USUAL_LANGUAGES, lambda _request: "here")
        async with owned(Client(server)) as connected:
            yield connected
        await sessions.aclose()
