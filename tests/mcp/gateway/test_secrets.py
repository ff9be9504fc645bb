"""What a server is given stays between it and the gateway."""

from __future__ import annotations

from pathlib import Path

from tests.mcp.gateway.conftest import (
    gateway_over,
    invoke,
    names,
    ours,
)

SECRET = "a-secret-for-one-test"


async def test_secrets_show_neither_in_health_nor_in_errors(tmp_path: Path) -> None:
    text = (
        "[mcp_servers.tells]\ncommand = 'sh'\n"
        "args = ['-c', 'echo cannot use $0 >&2; exit 1', '${KEY}']\n"
        "[mcp_servers.far]\nurl = 'http://127.0.0.1:9/mcp?key=${KEY}'\n"
        "http_headers = { X-Key = '${KEY}' }\n"
    )
    async with gateway_over(tmp_path, text, KEY=SECRET) as client:
        await names(client)
        health = (await client.get("/health")).text
        called = (await client.post("/invoke", json={"name": "tells__x"})).text
    assert "cannot use ***" in health
    assert SECRET not in health + called


async def test_a_server_that_dies_of_a_call_gives_no_secret_away(tmp_path: Path) -> None:
    text = ours("one", env_vars=["SECRET"])
    async with gateway_over(tmp_path, text, SECRET=SECRET) as client:
        said = [str((await invoke(client, "die"))["error"]) for _ in range(2)]
        health = (await client.get("/health")).text
    assert any("giving up with ***" in each for each in said)
    assert SECRET not in "".join(said) + health
