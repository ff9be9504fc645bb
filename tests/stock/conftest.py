"""LiteLLM as PyPI has it, unpatched, and our wheel, in an environment of their own."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / ".cache" / "stock"

Program = Callable[..., str]


@pytest.fixture(scope="session")
def stock() -> Path:
    """The environment's folder of programs, up to date, with the release of LiteLLM we pin."""
    pinned = re.search(r"^litellm==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned, "constraints.txt pins no litellm"
    subprocess.run(
        [ROOT / "scripts" / "stock-venv", FOLDER],
        env=os.environ | {"LITELLM": pinned.group(1)},
        check=True,
        timeout=300,
    )
    return FOLDER / "bin"


def environment(programs: Path, **variables: str) -> dict[str, str]:
    """What a program there finds set: `variables`, and nothing of this machine's own."""
    plain = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(FOLDER),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
    }
    return plain | variables


def said_by(programs: Path, folder: Path, program: str, **variables: str) -> str:
    """What a Python program there prints, run in `folder`; it has to end well."""
    ran = subprocess.run(
        [programs / "python", "-c", program],
        cwd=folder,
        env=environment(programs, **variables),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.stdout


@pytest.fixture
def printed(stock: Path, tmp_path: Path) -> Program:
    """Runs a Python program there and gives back what it prints."""
    return functools.partial(said_by, stock, tmp_path)
