"""Checks of the running stack: ports, shim and sidecar."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from mini_agent.cli.doctor.check import (
    Check,
    DoctorContext,
    fail,
    ok,
    skipped,
    warn,
)
from mini_agent.errors import NotConfigured
from mini_agent.sandbox import SidecarClient
from mini_agent.tools.sandbox_client import open_sandbox

TIMEOUT_S: Final = 3.0
SIDECAR: Final = "litellm-codex-agent"
SIDECAR_PORT: Final = 8077
TOKEN_FILE: Final = "/run/mini-agent/token"  # noqa: S105 - a path
START_STACK_FIX: Final = "make up"
MODEL_NAME_PATTERN: Final = re.compile(r'"id":"mini-agent/([^"]+)"')


@dataclass(frozen=True, slots=True)
class Port:
    """A port of this machine: what publishes it, how it is known, and what names another."""

    name: str
    default: int
    variable: str
    path: str
    marker: str


PORTS: Final = (
    Port("shim", 8788, "MINI_AGENT_API_PORT", "/healthz", "uptime_s"),
    Port("sidecar", SIDECAR_PORT, "CODEX_SIDECAR_PORT", "/healthz", '"ok":true'),
    Port("ollama", 11434, "OLLAMA_PORT", "/api/version", "version"),
)


async def check_ports(context: DoctorContext) -> Sequence[Check]:
    """Check that each port is free, or used by its own service."""
    return [await _check_port(port, context) for port in PORTS]


async def check_services(context: DoctorContext) -> Sequence[Check]:
    """Check that the shim and the sidecar are ready."""
    return [await _check_shim(_build_shim_url(context)), await _check_sidecar(context)]


async def read_stack_model(context: DoctorContext) -> str:
    """Read the default model of the running shim; empty where there is none."""
    answer = await fetch(f"{_build_shim_url(context)}/v1/models")
    if answer is None or not answer.is_success:
        return ""
    names = MODEL_NAME_PATTERN.findall(answer.text)
    return names[0] if names else ""


async def find_sidecar(context: DoctorContext) -> SidecarClient | None:
    """Find the sidecar that the environment names, else the running stack's; None if not ready."""
    if context.settings.sidecar_url:
        with contextlib.suppress(NotConfigured):
            client = open_sandbox(context.settings)
            if await _is_ready(client.base_url):
                return client
            await client.aclose()
        return None
    shape = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    said = await context.docker.run("inspect", "--format", shape, SIDECAR)
    token = (await context.docker.run("exec", SIDECAR, "cat", TOKEN_FILE)).out.strip()
    if not said.ok or not token:
        return None
    for address in said.out.split():
        url = f"http://{address}:{SIDECAR_PORT}"
        if await _is_ready(url):
            return SidecarClient(url, token)
    return None


async def _is_ready(url: str) -> bool:
    response = await fetch(f"{url.rstrip('/')}/readyz")
    return response is not None and response.is_success


async def fetch(url: str) -> httpx.Response | None:
    """Fetch a URL; None where there is no response."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as http:
            return await http.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


async def _check_port(port: Port, context: DoctorContext) -> Check:
    name, number = f"port of {port.name}", context.variable(port.variable, str(port.default))
    if not number.isdecimal() or not 0 < int(number) < 65536:
        return fail(name, f"{port.variable}={number!r:.40} is no port", f"unset {port.variable}")
    if not await _is_taken(int(number)):
        return ok(name, f"{number} is free")
    answer = await fetch(f"http://127.0.0.1:{number}{port.path}")
    if answer is not None and port.marker in answer.text.replace(" ", ""):
        return ok(name, f"{number} is the {port.name}'s")
    fix = f"{port.variable}={int(number) + 1} {START_STACK_FIX}; `ss -ltnp` shows who has {number}"
    return warn(name, f"{number} is taken by another program", fix)


async def _is_taken(port: int) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _build_shim_url(context: DoctorContext) -> str:
    return f"http://127.0.0.1:{context.variable('MINI_AGENT_API_PORT', '8788')}"


async def _check_shim(url: str) -> Check:
    answer = await fetch(f"{url}/ready")
    if answer is None:
        return skipped("shim", f"nothing answers at {url}", START_STACK_FIX)
    if answer.is_success:
        return ok("shim", f"ready at {url}")
    return fail("shim", f"not ready: {_error_message(answer)}", "make logs shows why")


async def _check_sidecar(context: DoctorContext) -> Check:
    if await find_sidecar(context) is not None:
        return ok("sidecar", "ready, its self-test passed")
    said = await context.docker.run("inspect", "--format", "{{.State.Status}}", SIDECAR)
    if context.settings.sidecar_url:
        url = context.settings.sidecar_url
        return fail(
            "sidecar",
            f"MINI_AGENT_SIDECAR_URL={url} is not ready",
            f"{START_STACK_FIX}, or unset it",
        )
    if not said.ok:
        return skipped("sidecar", "not up", START_STACK_FIX)
    return fail("sidecar", f"its container is {said.out.strip()}, not ready", "make logs shows why")


def _error_message(answer: httpx.Response) -> str:
    try:
        error: dict[str, object] = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
    return str(error.get("message", ""))[:300]
