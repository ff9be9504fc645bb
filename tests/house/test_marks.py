"""What needs the engine is in its part of the tests by itself, wherever it is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN = """
import pytest

def require_engine(): ...

@pytest.fixture
def real(): require_engine()

@pytest.fixture
def client(real): ...

@pytest.fixture
def scripted(): ...

def test_of_a_fixture_of_a_fixture_that_asks(client): ...

def test_that_asks_itself(): require_engine()

async def test_that_asks_itself_in_a_coroutine(): require_engine()

@pytest.mark.docker
def test_with_a_mark(): ...

@pytest.mark.stack
def test_of_the_stack(): ...

def test_with_neither(scripted): ...

@pytest.mark.timeout(400)
def test_that_may_take_long(): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Such tests, under what holds for all of ours."""
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_written.py").write_text(WRITTEN)
    return tmp_path


def chosen(folder: Path, mark: str) -> list[str]:
    """The names of the tests that are chosen by the mark."""
    settings = ("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, "-m", mark, "--collect-only", "-q", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line]


def test_what_asks_for_the_engine_is_marked_and_nothing_else(folder: Path) -> None:
    assert chosen(folder, "not engine") == ["test_with_neither", "test_that_may_take_long"]
    assert chosen(folder, "engine") == [
        "test_of_a_fixture_of_a_fixture_that_asks",
        "test_that_asks_itself",
        "test_that_asks_itself_in_a_coroutine",
        "test_with_a_mark",
        "test_of_the_stack",
    ]


def test_what_may_take_long_is_slow(folder: Path) -> None:
    assert chosen(folder, "slow") == ["test_that_may_take_long"]
