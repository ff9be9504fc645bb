"""A sidecar of one's own over the engine of this machine, for tests."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from mini_agent.sandbox import Execution
from tests.faults import disclosure

TOKEN = disclosure.TOKEN
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
START_S = 30.0
# The engine may still be at work on a removal.
GONE_S = 20.0


def require_engine() -> None:
    """Skips, by name, where no engine answers; in CI an engine is not missing, so that fails."""
    docker = shutil.which("docker")
    if docker is None:
        _missing("no docker command")
    asked = subprocess.run(
        [docker, "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    if asked.returncode != 0:
        _missing(f"no Docker Engine answers: {asked.stderr.strip()[:200]}")


def _missing(why: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"in CI there has to be an engine: {why}")
    pytest.skip(why)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar in a process of its own, and the file of what it logs."""

    url: str
    instance: str
    process: subprocess.Popen[bytes]
    log: Path

    def client(self) -> httpx.AsyncClient:
        """A client with the token, whose every refusal has to have the one shape."""
        hooks = {"response": [disclosure.require_problem_response]}
        return httpx.AsyncClient(
            base_url=self.url, headers=HEADERS, timeout=100, trust_env=False, event_hooks=hooks
        )

    async def containers(self) -> list[str]:
        """The ids of the sandboxes that bear this instance's label."""
        return await docker("ps", "-aq", "--filter", f"label=mini-agent.instance={self.instance}")

    async def ended(self) -> None:
        """Returns when the process is gone."""
        await asyncio.to_thread(self.process.wait)


@contextmanager
def sidecar(folder: Path, instance: str = "", **settings: str) -> Iterator[Sidecar]:
    """A ready sidecar, which is told to stop afterwards and leaves nothing then."""
    token_file = folder / "token"
    token_file.write_text(TOKEN)
    log_file = folder / "log"
    name = instance or f"test-{secrets.token_hex(4)}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    usual = {"port": port, "token_file": str(token_file), "instance": name, "warm": "{}"}
    variables = usual | settings
    environment = {f"CODEX_SIDECAR_{key.upper()}": value for key, value in variables.items()}
    with (
        log_file.open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-m", "codex_sidecar"], env=os.environ | environment, stderr=log
        ) as process,
    ):
        running = Sidecar(f"http://127.0.0.1:{port}", name, process, log_file)
        try:
            _wait_until_ready(running)
            yield running
        finally:
            process.terminate()
    _require_a_good_end(running)


def _require_a_good_end(over: Sidecar) -> None:
    disclosure.require_no_secrets(over.log.read_text())
    # One that was killed leaves its sandboxes to its successor.
    if over.process.returncode == -signal.SIGKILL:
        return
    assert over.process.returncode == 0
    until = time.monotonic() + GONE_S
    while sandboxes_of(over.instance):
        assert time.monotonic() < until, "sandboxes are left"
        time.sleep(0.1)


def sandboxes_of(instance: str) -> list[str]:
    """The ids of all containers that bear the instance's label, running or not."""
    label = f"label=mini-agent.instance={instance}"
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", label], capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


def _wait_until_ready(running: Sidecar) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            answer = httpx.get(f"{running.url}/readyz", timeout=START_S, trust_env=False)
        except httpx.ConnectError:
            assert time.monotonic() < until, "the sidecar does not start"
            time.sleep(0.05)
            continue
        assert answer.status_code == httpx.codes.OK, answer.text
        return


async def docker(*arguments: str) -> list[str]:
    """The lines that a docker command prints."""
    command = await asyncio.create_subprocess_exec(
        "docker", *arguments, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await command.communicate()
    assert command.returncode == 0, arguments
    return printed.decode().split()


async def execute(client: httpx.AsyncClient, language: str, code: str, **more: object) -> Execution:
    """The execution of a snippet; a refusal fails the test with its text."""
    answer = await client.post("/v1/execute", json={"language": language, "code": code} | more)
    assert answer.status_code == httpx.codes.OK, answer.text
    return Execution.model_validate_json(answer.content)
