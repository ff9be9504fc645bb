"""Limits that are settled hold together."""

from __future__ import annotations

import pytest

from codex_sidecar.engine.confinement import DEFAULTS, shm_mb, tmp_mb
from codex_sidecar.engine.limits import Host, settle
from mini_agent.sandbox import LANGUAGES, Language, Limits

HOST = Host(cpus=2, memory_mb=4000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_languages_own_limits_fit_together(language: Language) -> None:
    defaults = DEFAULTS[language]
    settled = settle(Limits(), defaults, HOST)
    assert settled.workspace_mb == defaults.workspace_mb
    assert settled.memory_mb == defaults.memory_mb


@pytest.mark.parametrize("memory_mb", [32, 64, 100, 256, 4000])
def test_what_can_be_written_always_fits_in_memory(memory_mb: int) -> None:
    settled = settle(Limits(memory_mb=memory_mb), DEFAULTS["python"], HOST)
    assert settled.workspace_mb + tmp_mb(memory_mb) + shm_mb(memory_mb) < memory_mb


def test_a_small_machine_lowers_the_defaults_but_not_what_is_asked_for() -> None:
    settled = settle(Limits(timeout_s=3), DEFAULTS["go"], Host(cpus=1, memory_mb=512))
    assert (settled.memory_mb, settled.cpus, settled.timeout_s) == (512, 1, 3)
