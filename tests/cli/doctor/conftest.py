"""The doctor on this machine's engine, in an environment of the test's own."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from mini_agent.cli.doctor.check import Check, CheckFunction, DoctorContext
from mini_agent.cli.doctor.docker import Docker, read_engine_facts
from mini_agent.settings import Settings
from tests.docker.sidecar_process import require_engine

# What a person's shell may have set, and a test must not see.
FOREIGN = ("MINI_AGENT_", "LITELLM_", "OLLAMA_", "CODEX_SIDECAR_", "DOCKER_", "COMPOSE_", "OPENAI_")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture
def engine() -> None:
    """The engine of this machine."""
    require_engine()


async def around_here(**variables: str) -> DoctorContext:
    """Where a doctor is that is started with these variables besides the usual."""
    environment = {**os.environ, **variables}
    docker = Docker(environment)
    facts, _ = await read_engine_facts(docker)
    return DoctorContext(environment, settings_of(environment), docker, facts)


def settings_of(environment: dict[str, str]) -> Settings:
    """What the settings would be there."""
    named = {
        name: environment[str(field.validation_alias)]
        for name, field in Settings.model_fields.items()
        if environment.get(str(field.validation_alias))
    }
    return Settings.model_validate(named)


async def found(look: CheckFunction, **variables: str) -> dict[str, Check]:
    """What one look finds, by name."""
    return by_name(await look(await around_here(**variables)))


def by_name(checks: Sequence[Check]) -> dict[str, Check]:
    named = {check.name: check for check in checks}
    assert len(named) == len(checks)
    return named


def states(checks: dict[str, Check]) -> dict[str, str]:
    return {name: check.state for name, check in checks.items()}


def program(folder: Path, name: str, text: str) -> str:
    """A PATH on which a program of this name stands first."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
