"""The two services as processes, and the invariants that have to hold after every fault."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from mini_agent.errors import Problem
from mini_agent.sandbox import Execution
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.docker.engine_here import HEADERS, TOKEN, Sidecar
from tests.faults.engine_proxy import EngineProxy
from tests.flow.leaving import gone_within
from tests.shim.serving import served, until_healthy

# Bounds that hold on a machine with much else to do; on a quiet one it is a second or two.
GONE_S = 20.0
BACK_S = 20.0
SPARE_MIB = 16.0
# Connections that are kept for the next call, to the engine and of clients.
SPARE_FILES = 12
# Those that read large bodies stay for the next one.
SPARE_THREADS = 6
# On a machine that does nothing else it is a few milliseconds.
LONGEST_HEALTH_S = 5.0
HASTY = (
    "from mini_agent.tools import run_sandbox as it; it.TTL_S, it.KEEP_EVERY_S = 3, 1;"
    "from mini_agent_shim.__main__ import main; main()"
)
ROOT = re.escape(str(Path(__file__).parents[2]))
NEVER_TOLD = re.compile(rf"{re.escape(TOKEN)}|Traceback|/site-packages/|/home/|{ROOT}/")


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds."""

    mib: float
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Platform:
    """A sidecar over the engine, through a proxy, and what it said so far."""

    sidecar: Sidecar
    engine: EngineProxy
    log: Path

    @property
    def footprint(self) -> Footprint:
        """What the sidecar holds now."""
        process = Path(f"/proc/{self.sidecar.process.pid}")
        status = (process / "status").read_text()
        numbers = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE))
        files = len(list((process / "fd").iterdir()))
        return Footprint(int(numbers["VmRSS"]) / 1024, files, int(numbers["Threads"]))

    def client(self) -> httpx.Client:
        """A client whose every refusal has to have the one shape."""
        return httpx.Client(
            base_url=self.sidecar.url,
            headers=HEADERS,
            timeout=60,
            trust_env=False,
            event_hooks={"response": [require_shape]},
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


def require_shape(answer: httpx.Response) -> None:
    """An error is ours, in our shape, and tells nothing it should not."""
    if answer.is_error:
        said = answer.read().decode()
        error = Problem.model_validate_json(said).error
        assert error.code
        assert error.request_id == answer.headers["x-request-id"]
        assert not NEVER_TOLD.search(said), said


@contextmanager
def invariants(platform: Platform) -> Iterator[None]:
    """What has to be so after the block, whatever went wrong in it."""
    before, already = platform.footprint, len(platform.log.read_bytes())
    with Pulse(f"{platform.sidecar.url}/healthz").felt() as pulse:
        yield
    assert gone_within(GONE_S, platform.sidecar), "sandboxes are left"
    _require_ready(platform)
    assert platform.run("print(6 * 7)").stdout == "42\n"
    assert gone_within(GONE_S, platform.sidecar), "sandboxes are left of an ordinary run"
    _require_back(platform, before)
    assert pulse.failures == []
    assert pulse.longest_s < LONGEST_HEALTH_S
    said = platform.log.read_bytes()[already:].decode()
    assert not NEVER_TOLD.search(said), said


def _require_ready(platform: Platform) -> None:
    until = time.monotonic() + BACK_S
    # An engine that was silent is asked again after a pause.
    while platform.ready() != httpx.codes.OK:
        assert time.monotonic() < until, "it does not get ready again"
        time.sleep(0.2)


def _require_back(platform: Platform, before: Footprint) -> None:
    until = time.monotonic() + BACK_S
    while True:
        now = platform.footprint
        most = (before.mib + SPARE_MIB, before.files + SPARE_FILES, before.threads + SPARE_THREADS)
        if now.mib <= most[0] and now.files <= most[1] and now.threads <= most[2]:
            return
        assert time.monotonic() < until, (before, now)
        time.sleep(0.2)


@dataclass
class Pulse:
    """Whether a service says that it lives, ten times a second."""

    url: str
    failures: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    _is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def felt(self) -> Iterator[Pulse]:
        """While the block runs."""
        thread = threading.Thread(target=self._feel)
        thread.start()
        try:
            yield self
        finally:
            self._is_over.set()
            thread.join()

    def _feel(self) -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            while not self._is_over.wait(0.1):
                began = time.monotonic()
                try:
                    client.get(self.url).raise_for_status()
                except httpx.HTTPError as failed:
                    self.failures.append(repr(failed))
                self.longest_s = max(self.longest_s, time.monotonic() - began)


@contextmanager
def shim(folder: Path, sidecar_url: str, model_url: str) -> Iterator[httpx.Client]:
    """A client of a shim in this process, with its runs in `folder`."""
    settings = ShimSettings.model_validate(_variables(folder, sidecar_url, model_url))
    with served(create_app(settings)) as url, _client(url) as client:
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
    process = subprocess.Popen(
        [sys.executable, "-c", HASTY], env=variables, stderr=subprocess.DEVNULL
    )
    with _client(f"http://127.0.0.1:{port}") as client:
        try:
            until_healthy(client)
            yield process, client
        finally:
            process.terminate()
            process.wait()


def _variables(folder: Path, sidecar_url: str, model_url: str) -> dict[str, str]:
    return {
        "MINI_AGENT_RUNS_DIR": str(folder),
        "MINI_AGENT_SIDECAR_URL": sidecar_url,
        "MINI_AGENT_SIDECAR_TOKEN": TOKEN,
        "LITELLM_DEFAULT_CODE_MODEL": "ollama/scripted",
        "OLLAMA_API_BASE": model_url,
    }


def _client(url: str) -> httpx.Client:
    hooks = {"response": [require_shape]}
    return httpx.Client(base_url=url, timeout=100, trust_env=False, event_hooks=hooks)
