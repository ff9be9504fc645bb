"""LiteLLM's Proxy as its users start it, with the yaml that the documentation shows."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.stock.conftest import ROOT, environment

CONFIG: Final = ROOT / "docs" / "proxy" / "mini-agent.yaml"
READY_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a Proxy is, and the key that it wants."""

    url: str
    key: str


@contextmanager
def proxy(programs: Path, folder: Path, config: Path = CONFIG, **variables: str) -> Iterator[Proxy]:
    """A Proxy while the block runs; what it says is kept in `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serving = Proxy(f"http://127.0.0.1:{port}", f"sk-{secrets.token_hex(16)}")
    log = folder / "proxy.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [programs / "litellm", "--config", config, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=environment(
                programs,
                LITELLM_ENABLE_MINI_AGENT="1",
                LITELLM_MASTER_KEY=serving.key,
                **variables,
            ),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(serving, process, log)
            yield serving
        finally:
            process.terminate()
            process.wait(20)


def _wait(serving: Proxy, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_S
    while not _answers(serving):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)


def _answers(serving: Proxy) -> bool:
    try:
        return httpx.get(f"{serving.url}/health/liveliness", timeout=5).is_success
    except httpx.HTTPError:
        return False
