"""Each control of the confinement is held by a case: without the control, the case fails."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.cases.case import Case
from tests.cases.court import Court, Place
from tests.cases.mutated import NAMES, NETWORK_VARIABLE
from tests.cases.own import own_suites
from tests.docker.sidecar_process import (
    HEADERS,
    TOKEN,
    docker,
    require_engine,
)

pytestmark = pytest.mark.docker

START_S = 30.0


@pytest.fixture
def network() -> str:
    """The name of a network without a way out, on which the host has no address."""
    require_engine()
    return f"mini-agent-test-{secrets.token_hex(4)}"


@asynccontextmanager
async def made(network: str) -> AsyncIterator[None]:
    """The network, while it is needed."""
    hidden = "com.docker.network.bridge.inhibit_ipv4=true"
    await docker("network", "create", "--internal", "--opt", hidden, network)
    try:
        yield
    finally:
        await docker("network", "rm", network)


@asynccontextmanager
async def without(control: str, folder: Path, network: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sidecar whose sandboxes lack the control."""
    (folder / "token").write_text(TOKEN)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    settings = {"port": port, "token_file": str(folder / "token"), "warm": "{}"}
    settings |= {"instance": f"mutated-{secrets.token_hex(4)}"}
    variables = {f"CODEX_SIDECAR_{name.upper()}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.cases.mutated", control),
        env=os.environ | variables | {NETWORK_VARIABLE: network},
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(
            base_url=url, headers=HEADERS, timeout=60, trust_env=False
        ) as client:
            await until_alive(client)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def until_alive(client: httpx.AsyncClient) -> None:
    """Returns when it serves; ready it may never be, as it tests itself."""
    async with asyncio.timeout(START_S):
        while True:
            try:
                await client.get("/healthz")
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
            else:
                return


def holding(control: str) -> list[Case]:
    """The cases that are there for the control."""
    suites = own_suites("abuse")
    return [case for suite in suites for case in suite.cases if control in case.controls]


def test_every_control_that_a_case_names_can_be_taken_away() -> None:
    named = {
        name for suite in own_suites("abuse") for case in suite.cases for name in case.controls
    }
    assert named == set(NAMES)


@pytest.mark.parametrize("control", [name for name in NAMES if name != "network"])
async def test_without_a_control_a_case_fails(control: str, tmp_path: Path, network: str) -> None:
    async with without(control, tmp_path, network) as client:
        await require_a_failure(client, control)


async def test_with_a_network_a_case_fails(tmp_path: Path, network: str) -> None:
    async with made(network), without("network", tmp_path, network) as client:
        await require_a_failure(client, "network")


async def require_a_failure(client: httpx.AsyncClient, control: str) -> None:
    """At least one of the control's cases ran, and was not as it should be."""
    found = await Court(client, Place(frozenset())).judge(holding(control))
    faults = [fault for each in found for fault in each.faults]
    assert faults
    # A sandbox that does not even start proves nothing.
    assert not [fault for fault in faults if "HTTP" in fault]
