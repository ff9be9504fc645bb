"""`/mcp` of the shim, called by the SDK's client over HTTP, over real sandboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import HEADERS, Sidecar
from tests.flow.conftest import served
from tests.mcp.sandbox_server.conftest import ConnectMode, environment
from tests.mcp.sandbox_server.results import (
    call_error,
    call_result,
    call_text,
    find_session_id,
    images,
)
from tests.shim.scripted import SilentModel

pytestmark = pytest.mark.docker

TOKEN = "the-token-of-the-shim"


@asynccontextmanager
async def shim_over(sidecar: Sidecar, **more: str) -> AsyncIterator[str]:
    """The address of the MCP server of a shim with this sidecar."""
    settings = ShimSettings.model_validate(environment(sidecar.url) | more)
    async with served(create_app(settings, model=SilentModel())) as url:
        yield f"{url}/mcp"


async def is_open(sidecar: Sidecar, session: str) -> bool:
    async with httpx.AsyncClient(base_url=sidecar.url, headers=HEADERS) as http:
        return (await http.get(f"/v1/sessions/{session}")).status_code == 200


async def session_of(client: Client) -> str:
    """The id of the client's own session in the sidecar."""
    meta = (await call_result(client, "shell", command="true")).meta
    assert meta is not None
    return str(meta["mini-agent/execution"]["session"])


async def test_a_client_has_its_files_and_others_have_theirs(real: Sidecar) -> None:
    async with (
        shim_over(real) as url,
        Client(url, mode="legacy") as first,
        Client(url, mode="legacy") as second,
    ):
        await call_text(first, "write_file", path="a.txt", content="x")
        assert "a.txt" in await call_text(first, "list_files")
        assert "a.txt" not in await call_text(second, "list_files")


async def test_a_client_that_ends_its_session_ends_its_sandbox(real: Sidecar) -> None:
    async with shim_over(real) as url:
        async with Client(url, mode="legacy") as client:
            session = await session_of(client)
            assert await is_open(real, session)
        assert not await is_open(real, session)


async def test_a_shim_that_ends_ends_the_sandboxes_of_its_clients(real: Sidecar) -> None:
    async with shim_over(real) as url, Client(url, mode="2026-07-28") as client:
        said = await call_text(client, "shell", command="true", session="new")
    assert not await is_open(real, find_session_id(said))


async def test_a_protocol_without_sessions_keeps_a_workspace_by_its_id(real: Sidecar) -> None:
    async with shim_over(real) as url, Client(url, mode="2026-07-28") as client:
        alone = await call_text(client, "run_code", language="python", code="print(6 * 7)")
        refused = await call_error(client, "list_files")
        opened = await call_text(client, "write_file", path="a", content="1", session="new")
        session = find_session_id(opened)
        assert "a (1 bytes)" in await call_text(client, "list_files", session=session)
    assert alone.startswith("exit code 0\nstdout:\n42\nnote: this connection keeps no workspace")
    assert 'pass session "new"' in refused


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_progress_and_figures_come_over_http_as_well(
    real: Sidecar, mode: ConnectMode
) -> None:
    told: list[str | None] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    figure = "print('one', flush=True)\nimport matplotlib.pyplot as plt\nplt.plot([1])"
    async with shim_over(real) as url, Client(url, mode=mode) as client:
        call = {"language": "python", "code": figure}
        result = await client.call_tool("run_code", call, progress_callback=heard)
    assert [each.mime_type for each in images(result)] == ["image/png"]
    assert told == ["one\n"]


async def test_the_token_of_the_shim_is_asked_for(real: Sidecar) -> None:
    async with shim_over(real, MINI_AGENT_SHIM_TOKEN=TOKEN) as url:
        async with httpx.AsyncClient(trust_env=False) as nobody:
            refused = await nobody.post(url, json={})
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert len((await client.list_tools()).tools) == 5
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized")


async def test_a_page_of_another_site_may_not_call_it(real: Sidecar) -> None:
    async with shim_over(real) as url, httpx.AsyncClient(trust_env=False) as page:
        answered = await page.post(url, json={}, headers={"Origin": "https://evil.example"})
    assert answered.status_code == 403
