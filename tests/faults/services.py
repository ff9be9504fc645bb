"""The two services, for tests of what goes wrong between them and round them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from mini_agent.sandbox import Execution
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import HEADERS, TOKEN, Sidecar
from tests.faults.disclosure import require_no_secrets, require_problem
from tests.faults.engine_proxy import EngineProxy
from tests.shim.serving import serve_app, until_healthy

HASTY = (
    "from mini_agent.tools import sandbox; "
    "sandbox.SESSION_TTL_S, sandbox.KEEP_ALIVE_INTERVAL_S = 3, 1;"
    "from mini_agent_shim.__main__ import main; main()"
)


@dataclass(frozen=True, slots=True)
class Platform:
    """A sidecar over the engine, through a proxy."""

    sidecar: Sidecar
    engine: EngineProxy

    def client(self) -> httpx.Client:
        """A client whose every refusal has to have the one shape."""
        return httpx.Client(
            base_url=self.sidecar.url,
            headers=HEADERS,
            timeout=60,
            trust_env=False,
            event_hooks={"response": [require_problem]},
        )

    def run(self, code: str, language: str = "python", **more: object) -> Execution:
        """The execution of a program, which has to be one, however the program ends."""
        snippet = {"language": language, "code": code} | more
        with self.client() as client:
            answer = client.post("/v1/execute", json=snippet)
        assert answer.status_code == httpx.codes.OK, answer.text
        return Execution.model_validate_json(answer.content)

    def ready(self) -> int:
        """The status of its readiness."""
        return httpx.get(f"{self.sidecar.url}/readyz", timeout=60, trust_env=False).status_code


@contextmanager
def shim(folder: Path, sidecar_url: str, model_url: str) -> Iterator[httpx.Client]:
    """A client of a shim in this process, with its runs in `folder`."""
    settings = ShimSettings.model_validate(_variables(folder, sidecar_url, model_url))
    with serve_app(create_app(settings)) as url, _client(url) as client:
        yield client


@contextmanager
def shim_process(
    folder: Path, sidecar_url: str, model_url: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """The same as a process of its own, whose sessions are given up after a few seconds."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = {"MINI_AGENT_SHIM_PORT": str(port), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    variables = os.environ | _variables(folder, sidecar_url, model_url) | more
    log_file = folder / "log"
    with log_file.open("ab") as log:
        process = subprocess.Popen([sys.executable, "-c", HASTY], env=variables, stderr=log)
    with _client(f"http://127.0.0.1:{port}") as client:
        try:
            until_healthy(client)
            yield process, client
        finally:
            process.terminate()
            process.wait()
    require_no_secrets(log_file.read_text())


def _variables(folder: Path, sidecar_url: str, model_url: str) -> dict[str, str]:
    return {
        "MINI_AGENT_RUNS_DIR": str(folder),
        "MINI_AGENT_SIDECAR_URL": sidecar_url,
        "MINI_AGENT_SIDECAR_TOKEN": TOKEN,
        "LITELLM_DEFAULT_CODE_MODEL": "ollama/scripted",
        "OLLAMA_API_BASE": model_url,
    }


def _client(url: str) -> httpx.Client:
    hooks = {"response": [require_problem]}
    return httpx.Client(base_url=url, timeout=100, trust_env=False, event_hooks=hooks)
