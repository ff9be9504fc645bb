"""Finds the service to be proved: a given one, the running stack's, or one started for this."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bench.machine import run_command
from bench.options import Options
from bench.stack import stack

CONTAINER: Final = "litellm-codex-agent"
PORT: Final = 8077
TOKEN_FILE: Final = "/run/mini-agent/token"  # noqa: S105 - where it is, not what it is
WARM: Final = {"python": 4, "data": 1, "node": 2, "go": 1, "rust": 1, "bash": 2}


@dataclass(frozen=True, slots=True)
class Service:
    """Where it is, how it is asked, and how it was found."""

    url: str
    token: str
    found: str


@asynccontextmanager
async def find_service() -> AsyncIterator[Service]:
    """The one of MINI_AGENT_SIDECAR_URL, else the running stack's, else one started for this."""
    running = _named() or await _running()
    if running is not None:
        yield running
        return
    async with stack(Options(), WARM, os.environ.get("SANDBOX_RUNTIME") or "runc") as own:
        url = f"http://{own.address.host}:{own.address.port}"
        yield Service(url, own.address.token, "guard and sidecar, started for this")


def _named() -> Service | None:
    url, token = (os.environ.get(f"MINI_AGENT_SIDECAR_{name}", "") for name in ("URL", "TOKEN"))
    return Service(url, token, f"the service at {url}") if url else None


async def _running() -> Service | None:
    shown = await run_command("docker", "inspect", CONTAINER)
    containers = json.loads(shown or "[]")
    if not containers or not containers[0]["State"]["Running"]:
        return None
    token = (await run_command("docker", "exec", CONTAINER, "cat", TOKEN_FILE)).strip()
    address = _address(containers[0]["NetworkSettings"])
    return Service(f"http://{address}", token, f"the running container {CONTAINER}")


def _address(network: dict[str, dict[str, object]]) -> str:
    """Its published port; where it has none, its own address, which this machine can reach."""
    published = network["Ports"].get(f"{PORT}/tcp")
    if isinstance(published, list) and published:
        return f"127.0.0.1:{published[0]['HostPort']}"
    addresses = (
        each.get("IPAddress") for each in network["Networks"].values() if isinstance(each, dict)
    )
    return f"{next(address for address in addresses if address)}:{PORT}"
