"""The readiness gate: the engine, its images, and the self-test in a real sandbox."""

from __future__ import annotations

import asyncio
from typing import Protocol

from codex_sidecar.engine.confinement import ImageCatalog
from codex_sidecar.engine.limits import require_host
from codex_sidecar.engine.models import EngineFacts
from codex_sidecar.errors import NotReady, ServiceStopping
from mini_agent_protocol.errors import MiniAgentError


class EngineState(Protocol):
    """The engine, as far as readiness needs it."""

    async def facts(self) -> EngineFacts:
        """Return what it can enforce."""
        ...

    async def has_image(self, image: str) -> bool:
        """Whether an image is present."""
        ...


class StartupTest(Protocol):
    """What has to hold before any snippet runs."""

    async def run(self) -> None:
        """Return when it holds; otherwise raise what does not."""
        ...


class ReadinessGate:
    """Checks on each call. A passed self-test counts until another check fails."""

    def __init__(
        self, engine: EngineState, catalog: ImageCatalog, runtime: str, test: StartupTest
    ) -> None:
        self._engine, self._catalog, self._runtime = engine, catalog, runtime
        self._test = test
        self._is_passed = False
        self._is_stopping = False
        self._checking = asyncio.Lock()

    def stop(self) -> None:
        """Report not ready from now on."""
        self._is_stopping = True

    async def check(self) -> None:
        """Return when snippets can run; otherwise raise why not."""
        if self._is_stopping:
            raise ServiceStopping
        async with self._checking:
            try:
                require_host(await self._engine.facts(), self._runtime)
                await self._require_images()
                if not self._is_passed:
                    await self._test.run()
            except MiniAgentError:
                self._is_passed = False
                raise
            self._is_passed = True

    async def _require_images(self) -> None:
        missing = [
            image
            for image in self._catalog.required_images()
            if not await self._engine.has_image(image)
        ]
        if missing:
            raise NotReady(f"images are missing: {', '.join(missing)}", hint="run `make images`")
