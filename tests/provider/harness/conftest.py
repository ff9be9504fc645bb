"""A real sidecar, and our sandbox beside LiteLLM's own two."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.provider.harness.sandbox import SidecarSandbox
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)

DOCKER_IMAGE = "debian:trixie-slim"


class Done(Protocol):
    """What came of a command."""

    @property
    def stdout(self) -> str: ...

    @property
    def stderr(self) -> str: ...

    @property
    def exit_code(self) -> int: ...


class Reader(Protocol):
    """A stream of a process."""

    async def read(self) -> bytes: ...


class Process(Protocol):
    """A command that runs."""

    @property
    def stdout(self) -> Reader: ...

    @property
    def stderr(self) -> Reader: ...

    async def wait(self) -> int: ...

    async def kill(self) -> None: ...


class Harnessed(Protocol):
    """LiteLLM's protocol, as far as tests use it."""

    workdir: str

    async def exec(
        self,
        cmd: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Process: ...

    async def run(
        self,
        cmd: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Done: ...

    async def read(self, path: str) -> bytes: ...

    async def write(self, path: str, data: bytes) -> None: ...

    async def which(self, binary: str) -> str | None: ...

    async def snapshot(self) -> Mapping[str, str]: ...

    async def tempdir(self) -> str: ...

    async def close(self) -> None: ...


Opening = Callable[[], AbstractAsyncContextManager[Harnessed]]


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar in a process of its own."""
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


@pytest.fixture
async def ours(real: Sidecar) -> AsyncIterator[SidecarSandbox]:
    """Our sandbox."""
    async with SidecarSandbox(real.url, TOKEN) as box:
        yield box


@pytest.fixture(params=["ours", "docker", "local"])
async def box(
    request: pytest.FixtureRequest, real: Sidecar, tmp_path: Path
) -> AsyncIterator[Harnessed]:
    """Each sandbox there is: what holds for LiteLLM's own has to hold for ours."""
    own = import_litellm().sandbox
    opening: dict[str, Opening] = {
        "ours": lambda: closing(SidecarSandbox(real.url, TOKEN)),
        "docker": lambda: closing(own.docker(DOCKER_IMAGE)),
        "local": lambda: closing(own.local(tmp_path)),
    }
    async with opening[request.param]() as opened:
        yield opened


@asynccontextmanager
async def closing(opened: Harnessed) -> AsyncIterator[Harnessed]:
    """Closes it afterwards."""
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture(autouse=True)
async def _clean(_closing: None) -> AsyncIterator[None]:
    """LiteLLM's connections belong to a test's event loop, and end with it."""
    yield
    # Those of its own agents that block are on a loop that is over.
    cleanup = importlib.import_module("litellm.llms.custom_httpx.async_client_cleanup")
    await cleanup.close_litellm_async_clients()
