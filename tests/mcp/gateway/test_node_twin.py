"""The gateway in Node.js: the same file, the same calls, the same answers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from mini_agent import HttpToolsInvoker
from mini_agent.messages import function_call
from mini_agent.tools.outputs import parse_output
from tests.mcp.gateway.conftest import (
    gateway_over,
    invoke,
    names,
    ours,
    statuses,
    until,
)
from tests.tools.conftest import Notes, free_port, until_it_listens

pytestmark = pytest.mark.timeout(400)

FOLDER = Path(__file__).parents[3] / "gateway/node"


@pytest.fixture(scope="session")
def server() -> str:
    """server.mjs, with what it needs beside it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node.js with npm on this machine: sudo apt-get install nodejs npm")
    if not (FOLDER / "node_modules").exists():
        npm = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(npm, cwd=FOLDER, check=True, timeout=120)
    return str(FOLDER / "server.mjs")


@asynccontextmanager
async def twin_over(
    server: str, path: Path, variables: Mapping[str, str]
) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.subprocess.Process]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        "node",
        *(server, "--config", str(path), "--port", str(port)),
        env=os.environ | variables,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.to_thread(until_it_listens, port)
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        try:
            yield client, process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_both_list_and_answer_the_same(server: str, tmp_path: Path) -> None:
    text = ours("one", enabled_tools=["add", "weather", "fail", "draw"]) + ours("two")
    async with (
        gateway_over(tmp_path, text) as first,
        twin_over(server, tmp_path / "config.toml", {}) as (second, _),
    ):
        both = (first, second)
        assert (await first.get("/tools")).json() == (await second.get("/tools")).json()
        for name, arguments in (
            ("one__add", {"a": 40, "b": 2}),
            ("one__weather", {"city": "Oslo"}),
            ("one__fail", {}),
        ):
            said = [await invoke(client, name, **arguments) for client in both]
            assert said[0] == said[1]
        images = []
        for client in both:
            async with HttpToolsInvoker(str(client.base_url)) as tools:
                called = await tools.call_openai_tool(function_call("1", "one__draw", {}))
                images.append(parse_output(called).attachments)
        assert images[0] == images[1]
        for body in (b"{", b'{"name": "nobody"}', b'{"name": "one__add", "arguments": "{x"}'):
            answers = [await client.post("/invoke", content=body, headers=JSON) for client in both]
            assert answers[0].status_code == answers[1].status_code


JSON = {"Content-Type": "application/json"}


async def test_slow_calls_are_cut_and_killed_servers_come_back(
    server: str, tmp_path: Path, notes: Notes
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(ours("one", notes=notes.path, tool_timeout_sec=2))
    async with twin_over(server, path, {}) as (client, process):
        slow = {"name": "one__slow", "arguments": {"seconds": 60}}
        cut = await client.post("/invoke", json=slow)
        assert (cut.status_code, cut.json()["error"]["code"]) == (504, "tool_timeout")
        await notes.until("slow cancelled")
        os.kill(notes.started[0], signal.SIGKILL)

        async def is_back() -> bool:
            return len(notes.started) > 1 and await names(client) != []

        await until(is_back)
        assert (await invoke(client, "one__add", a=1, b=1))["text"] == "2"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0

    async def is_gone() -> bool:
        return str(notes.started[-1]) not in os.listdir("/proc")  # noqa: PTH208

    await until(is_gone)
    assert notes.text().count("slow began") == 1


async def test_whoever_hangs_up_takes_the_call_along(
    server: str, tmp_path: Path, notes: Notes
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(ours("one", notes=notes.path))
    async with twin_over(server, path, {}) as (client, _):
        await names(client)
        call = asyncio.create_task(invoke(client, "one__slow", seconds=60))
        await notes.until("slow began")
        call.cancel()
        await notes.until("slow cancelled")


async def test_variables_are_expanded_and_a_missing_one_is_named(
    server: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    unset = '[mcp_servers.unset]\ncommand = "${NOT_SET_ANYWHERE}"\n'
    path.write_text(ours("one").replace('args = ["', 'args = ["${NOTHING:-}') + unset)
    async with twin_over(server, path, {}) as (client, _):
        await names(client)
        found = await statuses(client)
    assert found["one"]["state"] == "running"
    assert found["unset"]["error"] == "unset.command: the variable NOT_SET_ANYWHERE is not set"


async def test_pages_and_foreign_names_are_turned_away(server: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    async with twin_over(server, path, {}) as (client, _):
        page = await client.get("/tools", headers={"Origin": "https://evil.example"})
        name = await client.get("/tools", headers={"Host": "evil.example"})
    assert (page.status_code, name.status_code) == (403, 403)
