"""MCP servers for the tests: ours, as a child process and over HTTP, and two from npm."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mini_agent import McpInvoker

ROOT = Path(__file__).parents[2]
SERVER = str(Path(__file__).with_name("mcp_server_here.py"))
BINARIES = ROOT / ".mcp-servers/node_modules/.bin"


@dataclass(frozen=True)
class Notes:
    """The file in which our server notes what happens to it."""

    path: str

    def text(self) -> str:
        return Path(self.path).read_text()

    @property
    def started(self) -> list[int]:
        """The process ids of the servers that were started."""
        return [int(pid) for pid in re.findall(r"started (\d+)", self.text())]

    async def until(self, said: str) -> None:
        for _ in range(1500):
            if said in self.text():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"the server never noted {said!r}, only {self.text()!r}")


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    path = tmp_path / "notes"
    path.touch()
    return Notes(str(path))


@pytest.fixture
async def here(notes: Notes) -> AsyncIterator[McpInvoker]:
    """Our server as a child process."""
    env = {"MCP_TEST_NOTES": notes.path}
    async with McpInvoker.command(sys.executable, SERVER, env=env) as tools:
        yield tools


@pytest.fixture
def served_over_http(notes: Notes) -> Iterator[str]:
    """The address of our server over streamable HTTP."""
    port = free_port()
    command = [sys.executable, SERVER, "--http", str(port)]
    with subprocess.Popen(
        command, env={"MCP_TEST_NOTES": notes.path}, stderr=subprocess.DEVNULL
    ) as child:
        until_it_listens(port)
        yield f"http://127.0.0.1:{port}/mcp"
        child.kill()


@pytest.fixture(scope="session")
def from_npm() -> Path:
    """The folder with the commands of the servers from npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node.js with npm on this machine: sudo apt-get install nodejs npm")
    subprocess.run([ROOT / "scripts/mcp-servers"], check=True, timeout=300)
    return BINARIES


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def until_it_listens(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("our MCP server does not listen")
