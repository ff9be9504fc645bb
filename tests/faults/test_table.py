"""The page of faults names every case once, and tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/faults.md"
CASES = {"A": 21, "B": 9, "C": 17, "D": 16, "E": 9, "F": 15, "G": 12}
ROW = re.compile(r"^\| ([A-G]\d\d) \| .*$", re.MULTILINE)
NAMED = re.compile(r"`(\S+\.py)::(\w+)`")


def test_every_case_is_there_once_and_shown_by_a_test() -> None:
    rows = {found[1]: found[0] for found in ROW.finditer(PAGE.read_text())}
    assert list(rows) == [
        f"{part}{number:02}" for part, count in CASES.items() for number in range(1, count + 1)
    ]
    bare = [case for case, row in rows.items() if not NAMED.search(row)]
    assert [case for case in bare if "does not apply: " not in rows[case]] == []


def test_every_test_that_is_named_is_there() -> None:
    named = set(NAMED.findall(PAGE.read_text()))
    missing = [
        f"{file}::{name}"
        for file, name in sorted(named)
        if not re.search(rf"^(async )?def {name}\(", _text(file), re.MULTILINE)
    ]
    assert missing == []


def _text(file: str) -> str:
    path = TESTS / file
    return path.read_text() if path.is_file() else ""
