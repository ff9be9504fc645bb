"""Who may call the gateway."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.mcp.gateway.conftest import gateway_over, names, ours

TOKEN = "a-token-for-one-test"


async def test_the_token_is_asked_for_at_every_door(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, ours("one"), token=TOKEN) as client:
        assert await names(client)
        url = str(client.base_url)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as other:
            for method, path in (
                ("GET", "/tools"),
                ("POST", "/invoke"),
                ("GET", "/health"),
                ("POST", "/mcp"),
            ):
                answered = await other.request(method, path)
                assert answered.status_code == 401
                assert "MINI_AGENT_GATEWAY_TOKEN holds it" in answered.json()["error"]["hint"]


async def test_pages_of_others_and_foreign_names_are_turned_away(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, ours("one")) as client:
        page = await client.get("/tools", headers={"Origin": "https://evil.example"})
        name = await client.post("/mcp", headers={"Host": "evil.example"})
    assert (page.status_code, name.status_code) == (403, 403)
