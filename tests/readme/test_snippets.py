"""The README's Python, run as a newcomer would: in a fresh environment with the wheels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mini_agent.testing import ScriptedServer, call, text
from tests.readme.conftest import ROOT, blocks

UV = [sys.executable, "-m", "uv"]


def newcomers_python(folder: Path) -> Path:
    """An environment with the wheels, their dependencies, and nothing of this checkout."""
    for member in (ROOT, ROOT / "protocol"):
        build = [*UV, "build", "-q", "--wheel", "-o", str(folder), str(member)]
        subprocess.run(build, check=True, timeout=120)
    wheels = sorted(map(str, folder.glob("*.whl")))
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*UV, "venv", "-q", folder / "venv"], check=True, timeout=150)
    pinned = ("-c", str(ROOT / "constraints.txt"))
    subprocess.run(
        [*UV, "pip", "install", "-q", "-p", str(python), *pinned, *wheels],
        check=True,
        timeout=300,
    )
    return python


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return newcomers_python(tmp_path_factory.mktemp("newcomer"))


def ran(python: Path, program: str, **environment: str) -> str:
    done = subprocess.run(
        [python, "-I", "-c", program],
        cwd=python.parent,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp")} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.stack
@pytest.mark.timeout(400)
def test_the_provider_answers_through_the_running_stack(python: Path) -> None:
    program = blocks("python")[0]
    assert len([line for line in program.splitlines() if line.strip()]) <= 15
    assert ran(python, program).splitlines() == ["The compressed form is a2b3c1", "success 2"]


@pytest.mark.timeout(400)
def test_the_loop_runs_by_itself(python: Path) -> None:
    hello = call("exec_python", code="print('hello')")
    with ScriptedServer([hello, text("It printed hello.")]) as server:
        said = ran(python, blocks("python")[1], OLLAMA_API_BASE=server.url)
    assert said == "It printed hello. success\n"
