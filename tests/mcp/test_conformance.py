"""The official conformance suite of MCP, over our server and our client."""

from __future__ import annotations

import pytest

from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.flow.conftest import served
from tests.mcp.conformance import (
    CLIENT,
    CLIENT_SCENARIOS,
    SERVER_SCENARIOS,
    find_modules,
    run_suite,
)
from tests.shim.scripted import SilentModel

pytestmark = pytest.mark.slow

NO_SIDECAR = {
    "MINI_AGENT_SIDECAR_URL": "http://127.0.0.1:9",
    "MINI_AGENT_SIDECAR_TOKEN": "the-token-of-no-sidecar",
}


@pytest.mark.parametrize("scenario", SERVER_SCENARIOS)
async def test_our_server_passes(scenario: str) -> None:
    modules = find_modules()
    app = create_app(ShimSettings.model_validate(NO_SIDECAR), model=SilentModel())
    async with served(app) as url:
        arguments = ("server", "--url", f"{url}/mcp", "--scenario", scenario)
        code, printed = await run_suite(modules, *arguments)
    assert code == 0, printed
    assert "SUCCESS" in printed


@pytest.mark.parametrize("scenario", CLIENT_SCENARIOS)
async def test_our_client_passes(scenario: str) -> None:
    arguments = ("client", "--command", CLIENT, "--scenario", scenario)
    code, printed = await run_suite(find_modules(), *arguments)
    assert code == 0, printed
    assert "OVERALL: PASSED" in printed
