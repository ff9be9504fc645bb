"""What holds for every file of the project."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_every_python_file_says_in_its_first_line_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py")
        if not path.read_text().removeprefix("#!/usr/bin/env python3\n").startswith('"""')
    ]
    assert silent == []


def test_no_file_is_committed_that_records_where_packages_came_from() -> None:
    assert [path.name for path in tracked("uv.lock", "*package-lock.json")] == []


def test_the_makefile_fits_on_a_screen_or_two() -> None:
    assert len((ROOT / "Makefile").read_text().splitlines()) <= 80


def test_every_file_that_contributing_names_is_there() -> None:
    named = re.findall(r"`([\w/.-]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text())
    there = [f"/{path.relative_to(ROOT)}" for path in tracked("*.py")]
    assert named
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in there)] == []
