"""Runs a snippet in a sandbox of its own: limits, a slot, a lease, the outcome."""

from __future__ import annotations

import time
from typing import Final

from codex_sidecar import metrics
from codex_sidecar.engine.client import Engine
from codex_sidecar.engine.confinement import COMPILE_TIMEOUT_S, ImageCatalog
from codex_sidecar.engine.limits import Machine
from codex_sidecar.errors import InvalidSnippet, ServiceStopping
from codex_sidecar.execution.fair_queue import FairQueue
from codex_sidecar.kinds import detect_preload
from codex_sidecar.pool.pool import Pool
from codex_sidecar.runner.container import START_TIMEOUT_S, Container
from codex_sidecar.runner.files import pack_files
from codex_sidecar.runner.languages import ImageContents, LanguageCard, Languages
from codex_sidecar.runner.outcome import build_execution
from codex_sidecar.runner.output import Listener
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.languages import LANGUAGES, SPECS, Language
from mini_agent_protocol.snippet import Limits, Snippet

LIFETIME_MARGIN_S: Final = 30.0


class Dispatcher:
    """Runs snippets, each in a sandbox of its own; implements the `Sandbox` protocol."""

    def __init__(
        self, engine: Engine, catalog: ImageCatalog, machine: Machine, pool: Pool, queue: FairQueue
    ) -> None:
        self._engine, self._catalog, self._machine = engine, catalog, machine
        self._pool, self._queue = pool, queue

    async def run(
        self, snippet: Snippet, *, caller: str = "", listener: Listener | None = None
    ) -> Execution:
        """Run one snippet; raises `BadRequest` before anything is started where it is invalid."""
        started_at = time.perf_counter()
        image_language = select_image_language(snippet)
        limits = await self._machine.resolve_limits(snippet.limits, image_language)
        files = pack_files(snippet.files, room_mb=limits.workspace_mb)
        lifetime_s = START_TIMEOUT_S + COMPILE_TIMEOUT_S + limits.timeout_s + LIFETIME_MARGIN_S
        async with self._queue.slot(caller):
            queued_ms = _elapsed_ms(started_at)
            lease = self._pool.lease(image_language, limits, detect_preload(snippet), lifetime_s)
            async with lease as container:
                start_ms = _elapsed_ms(started_at) - queued_ms
                execution = await self._execute(container, snippet, files, listener)
        timings = execution.timings_ms.model_copy(
            update={"queue": queued_ms, "start": start_ms, "total": _elapsed_ms(started_at)}
        )
        finished = execution.model_copy(update={"timings_ms": timings})
        metrics.record_execution(finished)
        return finished

    async def languages(self) -> Languages:
        """Return every language with what its image contains."""
        return Languages(
            languages=tuple([await self._describe(language) for language in LANGUAGES])
        )

    async def _execute(
        self, container: Container, snippet: Snippet, files: bytes, listener: Listener | None
    ) -> Execution:
        limits, facts = await container.enforced_limits()
        exchange = await container.run(snippet, files, listener)
        if exchange.cut == "lost" and self._queue.is_closed:
            raise ServiceStopping
        oom_killed = exchange.result is None and await container.oom_killed()
        return build_execution(snippet, exchange, limits, facts, oom_killed=oom_killed)

    async def _describe(self, language: Language) -> LanguageCard:
        image = self._catalog.image(language)
        available = await self._engine.has_image(image)
        image_contents = await self._pool.image_contents(language) if available else ImageContents()
        defaults = await self._machine.resolve_limits(Limits(), language)
        return LanguageCard(
            name=language,
            aliases=SPECS[language].aliases,
            image=image,
            available=available,
            version=image_contents.version,
            packages=image_contents.packages,
            warm=self._pool.count_warm(language),
            limits=Limits.model_validate(defaults.model_dump(exclude={"inodes", "open_files"})),
        )


def select_image_language(snippet: Snippet) -> Language:
    """Return the language whose image runs the snippet."""
    if snippet.toolchain is None:
        return snippet.language
    if snippet.language != "bash":
        raise InvalidSnippet("toolchain goes with language 'bash' alone", field="toolchain")
    return snippet.toolchain


def _elapsed_ms(start: float) -> float:
    return (time.perf_counter() - start) * 1000
