"""The README, its code blocks, and a way to run what they say."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ollama import conftest as ollama

ROOT = Path(__file__).parents[2]
stand_in = ollama.stand_in
SET_BY_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(language: str) -> list[str]:
    """The README's code blocks of one language, in order."""
    text = (ROOT / "README.md").read_text()
    return [block for name, block in FENCED.findall(text) if name == language]


def shell(command: str, **environment: str) -> str:
    """What a command of the README prints, started as by hand; it has to end well."""
    by_hand = {name: value for name, value in os.environ.items() if name not in SET_BY_MAKE}
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=by_hand | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture
def stack_again() -> Iterator[None]:
    """For a test that changes the running stack: afterwards it is the demo stack again."""
    yield
    shell("docker compose -f compose.agents.yml --profile demo down --remove-orphans")
    shell("scripts/up demo")
