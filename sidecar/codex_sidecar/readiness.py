"""Whether snippets can run: the engine, its images, and one snippet in a real sandbox."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from codex_sidecar.catalog import Catalog
from codex_sidecar.engine import EngineFacts
from codex_sidecar.errors import NotReady
from codex_sidecar.limits import host_of
from mini_agent.errors import MiniAgentError
from mini_agent.sandbox import Limits, Sandbox, Snippet

# The address is one that is kept for documentation and never routed.
CANARY: Final = """
import errno, os, socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    network = "open"
except OSError as refused:
    network = errno.errorcode.get(refused.errno, "open")
print("root" if os.getuid() == 0 else "user", network)
"""
CANARY_SAYS: Final = "user ENETUNREACH\n"


class EngineState(Protocol):
    """The engine, as far as readiness needs it."""

    async def facts(self) -> EngineFacts:
        """What it can enforce."""
        ...

    async def has_image(self, image: str) -> bool:
        """Whether an image is there."""
        ...


class Readiness:
    """Checked when asked. A canary that came back holds until something else is found wrong."""

    def __init__(
        self, engine: EngineState, catalog: Catalog, runtime: str, sandbox: Sandbox
    ) -> None:
        self._engine, self._catalog, self._runtime = engine, catalog, runtime
        self._sandbox = sandbox
        self._canary_is_back = False
        self._checking = asyncio.Lock()

    async def check(self) -> None:
        """Returns when all is well; otherwise raises what is wrong."""
        async with self._checking:
            try:
                host_of(await self._engine.facts(), self._runtime)
                await self._require_images()
                if not self._canary_is_back:
                    await self._send_canary()
            except MiniAgentError:
                self._canary_is_back = False
                raise
            self._canary_is_back = True

    async def _require_images(self) -> None:
        missing = [
            image for image in self._catalog.images() if not await self._engine.has_image(image)
        ]
        if missing:
            raise NotReady(f"images are missing: {', '.join(missing)}", hint="run `make images`")

    async def _send_canary(self) -> None:
        snippet = Snippet(language="python", code=CANARY, limits=Limits(timeout_s=10))
        execution = await self._sandbox.run(snippet)
        if execution.stdout != CANARY_SAYS:
            raise NotReady(
                f"the canary said {execution.stdout!r} ({execution.status}), not {CANARY_SAYS!r}",
                hint="the sandbox does not confine as it has to; see the log of the engine",
            )
