"""From a snippet to its execution: limits, a turn, a sandbox, the verdict."""

from __future__ import annotations

import time
from typing import Final

from codex_sidecar.catalog import DEFAULTS, Catalog
from codex_sidecar.container import Container
from codex_sidecar.engine import Engine
from codex_sidecar.errors import InvalidSnippet
from codex_sidecar.files import pack
from codex_sidecar.languages import About, LanguageCard, Languages
from codex_sidecar.limits import Host, host_of, settle
from codex_sidecar.pool import Pool
from codex_sidecar.turns import Turns
from codex_sidecar.verdict import judge
from mini_agent.sandbox import (
    ALIASES,
    LANGUAGES,
    Execution,
    Language,
    Limits,
    Snippet,
    Truncated,
)

PROGRAMS: Final = {
    "python": "main.py",
    "node": "main.js",
    "go": "main.go",
    "rust": "main.rs",
    "bash": "main.sh",
}


class Dispatcher:
    """Runs snippets, each in a sandbox of its own. It is a `Sandbox`."""

    def __init__(self, engine: Engine, catalog: Catalog, pool: Pool, turns: Turns) -> None:
        self._engine, self._catalog, self._pool, self._turns = engine, catalog, pool, turns
        self._known_host: Host | None = None
        self._abouts: dict[Language, About] = {}

    async def run(self, snippet: Snippet) -> Execution:
        """One execution; raises `BadRequest` before anything is started where it cannot be one."""
        asked = time.perf_counter()
        image_of = _image_language(snippet)
        limits = settle(snippet.limits, DEFAULTS[image_of], await self._host())
        files = pack(snippet.files, program=PROGRAMS[snippet.language], room_mb=limits.workspace_mb)
        async with self._turns.turn():
            queued_ms = _ms_since(asked)
            async with self._pool.lease(image_of, limits) as container:
                execution = await _execute(container, snippet, files)
        timings = execution.timings_ms.model_copy(
            update={"queue": queued_ms, "start": container.start_ms, "total": _ms_since(asked)}
        )
        return execution.model_copy(update={"timings_ms": timings})

    async def languages(self) -> Languages:
        """Every language, with what its image says of itself."""
        return Languages(languages=tuple([await self._card(language) for language in LANGUAGES]))

    async def _card(self, language: Language) -> LanguageCard:
        image = self._catalog.image(language)
        available = await self._engine.has_image(image)
        about = await self._about(language) if available else About()
        defaults = settle(Limits(), DEFAULTS[language], await self._host())
        return LanguageCard(
            name=language,
            aliases=tuple(alias for alias, name in ALIASES.items() if name == language),
            image=image,
            available=available,
            version=about.version,
            packages=about.packages,
            limits=Limits.model_validate(defaults.model_dump()),
        )

    async def _about(self, language: Language) -> About:
        if language not in self._abouts:
            limits = settle(Limits(), DEFAULTS[language], await self._host())
            async with self._turns.turn(), self._pool.lease(language, limits) as container:
                self._abouts[language] = container.about
        return self._abouts[language]

    async def _host(self) -> Host:
        if self._known_host is None:
            self._known_host = host_of(await self._engine.facts(), self._pool.runtime)
        return self._known_host


async def _execute(container: Container, snippet: Snippet, files: bytes) -> Execution:
    limits, facts = await container.enforced()
    heard = await container.run(snippet, files)
    oom_killed = heard.result is None and await container.oom_killed()
    verdict = judge(heard, oom_killed=oom_killed)
    result = heard.result
    return Execution(
        language=snippet.language,
        status=verdict.status,
        exit_code=verdict.exit_code,
        signal=verdict.signal,
        stdout=heard.stdout.text(),
        stderr=heard.stderr.text(),
        stdout_bytes=heard.stdout.seen,
        stderr_bytes=heard.stderr.seen,
        truncated=Truncated(stdout=heard.stdout.truncated, stderr=heard.stderr.truncated),
        oom_events=result.oom_kills if result else int(oom_killed),
        artifacts=heard.artifacts,
        artifacts_skipped=heard.skipped,
        timings_ms=heard.timings(),
        limits=limits,
        sandbox=facts,
    )


def _image_language(snippet: Snippet) -> Language:
    if snippet.toolchain is None:
        return snippet.language
    if snippet.language != "bash":
        raise InvalidSnippet("toolchain goes with language 'bash' alone", field="toolchain")
    return snippet.toolchain


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
