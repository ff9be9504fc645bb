"""The gateway's blocks in docs/mcp.md, run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mcp.gateway.conftest import client_at, gateway, statuses
from tests.mcp.sandbox_server.clients import block, said_by

pytestmark = pytest.mark.timeout(400)

NPX = 'command = "npx"\nargs = ["-y", "@modelcontextprotocol/server-filesystem", '


async def test_its_file_is_served_and_its_call_answered(from_npm: Path, tmp_path: Path) -> None:
    written = block("toml", "DOCS_TOKEN")
    assert NPX in written
    fetched = f'command = "{from_npm}/mcp-server-filesystem"\nargs = ['
    (tmp_path / "config.toml").write_text(written.replace(NPX, fetched))
    command = block("sh", "mini-agent gateway").split()
    assert command == ["mini-agent", "gateway", "--config", "config.toml"]
    async with gateway("--config", "config.toml", cwd=tmp_path) as (_, url):
        async with client_at(url) as client:
            await client.get("/tools")
            found = await statuses(client)
        call = block("sh", "/invoke").replace("http://127.0.0.1:8787", url)
        said = json.loads(await said_by(call, tmp_path, {}))
    assert (found["files"]["state"], found["docs"]["state"]) == ("running", "disabled")
    assert "[FILE] config.toml" in said["text"]


def test_the_one_in_node_is_started_as_its_tests_start_it() -> None:
    steps = block("sh", "node server.mjs").strip().split(" && ")
    assert steps == ["cd gateway/node", "npm install", "node server.mjs"]
