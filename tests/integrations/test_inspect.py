"""The sandbox provider for Inspect, by Inspect's own checks, in an environment that has Inspect."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.docker.sidecar_process import TOKEN, require_engine, sidecar

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / ".cache" / "inspect"
CHECKS: Final = "tests/integrations/inspect_checks.py"
PACKAGES: Final = ("inspect-ai", "pytest", "pytest-asyncio")
PASSED: Final = 43

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of the environment, up to date."""
    pinned = re.search(r"^litellm==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned, "constraints.txt pins no litellm"
    subprocess.run(
        [ROOT / "scripts" / "stock-venv", FOLDER, *PACKAGES],
        env=os.environ | {"LITELLM": pinned.group(1)},
        check=True,
        timeout=300,
    )
    return FOLDER / "bin" / "python"


def test_a_sandbox_is_what_inspect_expects_but_that_it_has_no_root(
    python: Path, tmp_path: Path
) -> None:
    require_engine()
    with sidecar(tmp_path) as running:
        options = ("-q", "-c", os.devnull, "--rootdir", str(tmp_path), "--noconftest")
        checked = subprocess.run(
            [python, "-m", "pytest", *options, "-o", "asyncio_mode=auto", ROOT / CHECKS],
            env=os.environ
            | {"MINI_AGENT_SIDECAR_URL": running.url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
    assert checked.returncode == 0, checked.stdout[-3000:]
    assert f"{PASSED} passed, 1 xfailed" in checked.stdout


def test_inspect_finds_the_provider_by_its_name(python: Path) -> None:
    code = (
        "from inspect_ai.util._sandbox.registry import registry_find_sandboxenv as find\n"
        "print(find('mini-agent').__name__)"
    )
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("MiniAgentSandboxEnvironment")
