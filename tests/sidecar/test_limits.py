"""Limits that are settled hold together."""

from __future__ import annotations

import pytest

from codex_sidecar.engine.confinement import DEFAULT_LIMITS, shm_mb, tmp_mb
from codex_sidecar.engine.limits import Host, resolve_limits
from mini_agent.sandbox import LANGUAGES, Language, Limits

HOST = Host(cpus=2, memory_mb=4000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_languages_own_limits_fit_together(language: Language) -> None:
    defaults = DEFAULT_LIMITS[language]
    settled = resolve_limits(Limits(), defaults, HOST)
    assert settled.workspace_mb == defaults.workspace_mb
    assert settled.memory_mb == defaults.memory_mb


@pytest.mark.parametrize("memory_mb", [32, 64, 100, 256, 4000])
def test_what_can_be_written_always_fits_in_memory(memory_mb: int) -> None:
    settled = resolve_limits(Limits(memory_mb=memory_mb), DEFAULT_LIMITS["python"], HOST)
    assert settled.workspace_mb + tmp_mb(memory_mb) + shm_mb(memory_mb) < memory_mb


def test_a_small_machine_lowers_the_defaults_but_not_what_is_asked_for() -> None:
    settled = resolve_limits(Limits(timeout_s=3), DEFAULT_LIMITS["go"], Host(cpus=1, memory_mb=512))
    assert (settled.memory_mb, settled.cpus, settled.timeout_s) == (512, 1, 3)
