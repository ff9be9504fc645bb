"""scripts/test: two parts side by side, and no failure of either is lost."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In the place of pytest: prints what it was asked, and ends as the part's file says.
PYTEST = """#!/usr/bin/env bash
echo "asked: $*"
case "$*" in
  *"not engine"*) sleep "$(cat others-take)"; exit "$(cat others)" ;;
  *"engine tests/cases"*) exit "$(cat apart)" ;;
  *) exit "$(cat engine)" ;;
esac
"""
ENGINE = "asked: -m pytest -m engine --ignore=tests/cases --ignore=tests/coding"
APART = "asked: -m pytest -m engine tests/cases tests/coding"
OTHERS = "asked: -m pytest -m not engine -n auto --dist loadfile --no-loadscope-reorder"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with those two scripts, in which both parts pass."""
    for name in ("test", "say"):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTEST)
    python.chmod(0o755)
    ends(tmp_path, engine=0, others=0)
    return tmp_path


def ends(
    checkout: Path, engine: int, others: int, others_take_s: float = 0.0, apart: int = 0
) -> None:
    (checkout / "apart").write_text(str(apart))
    (checkout / "engine").write_text(str(engine))
    (checkout / "others").write_text(str(others))
    (checkout / "others-take").write_text(str(others_take_s))


def run(checkout: Path, *arguments: str) -> tuple[int, list[str]]:
    """The exit code, and what was printed."""
    done = completed(checkout, *arguments)
    return done.returncode, done.stdout.splitlines()


def completed(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts" / "test", *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_other_part_is_printed_after_the_engines(checkout: Path) -> None:
    assert run(checkout) == (0, [ENGINE, OTHERS, APART])


@pytest.mark.parametrize(
    ("engine", "others", "code"), [(1, 0, 1), (0, 1, 1), (1, 2, 2), (5, 0, 5), (0, 5, 5)]
)
def test_the_worst_code_is_the_code(checkout: Path, engine: int, others: int, code: int) -> None:
    ends(checkout, engine, others)
    assert run(checkout) == (code, [ENGINE, OTHERS, APART])


def test_a_failure_that_has_scrolled_away_is_named_at_the_end(checkout: Path) -> None:
    ends(checkout, engine=1, others=0)
    assert "the engine failed, further up: exit code 1" in completed(checkout).stderr


def test_the_engines_tests_that_stand_apart_count_too(checkout: Path) -> None:
    ends(checkout, engine=0, others=0, apart=2)
    assert run(checkout) == (2, [ENGINE, OTHERS, APART])


def test_the_part_that_takes_longer_is_waited_for(checkout: Path) -> None:
    ends(checkout, engine=0, others=3, others_take_s=0.5)
    assert run(checkout) == (3, [ENGINE, OTHERS, APART])


def test_arguments_are_those_of_one_pytest(checkout: Path) -> None:
    ends(checkout, engine=4, others=0)
    code, printed = run(checkout, "tests/x", "-k", "a and b")
    assert (code, printed) == (4, ["asked: -m pytest tests/x -k a and b"])


def test_the_part_without_the_engine_runs_alone_too(checkout: Path) -> None:
    ends(checkout, engine=0, others=6)
    assert run(checkout, "--unit", "-k", "a and b") == (6, [f"{OTHERS} -k a and b"])


def test_without_arguments_it_leaves_out_what_is_slow(checkout: Path) -> None:
    quick = OTHERS.replace("not engine", "not engine and not slow")
    assert run(checkout, "--unit") == (0, [quick])
