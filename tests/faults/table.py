"""The page of faults with what came of its tests: `python -m tests.faults.table [RESULTS.xml ...]`.

Of runs that were made with `pytest --junitxml=RESULTS.xml`; where none is named, it runs the tests.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest

TESTS: Final = Path(__file__).parents[1]
PAGE: Final = TESTS.parent / "docs/faults.md"
ROW: Final = re.compile(r"^\| ([A-G]\d\d) \| (.*) \| (.*) \| (.*) ?\|$", re.MULTILINE)
NAMED: Final = re.compile(r"`(\S+\.py)::(\w+)`")
APART: Final = "does not apply: "
WORST: Final = ("failure", "error", "skipped")


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the page; `tests` are its files and names."""

    name: str
    when: str
    what: str
    tests: tuple[tuple[str, str], ...]

    @property
    def applies(self) -> bool:
        """Whether there is anything to show."""
        return APART not in self.what


@dataclass(slots=True)
class Results:
    """What came of each test, and the most of each number that was seen after it."""

    counts: defaultdict[tuple[str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter[str])
    )
    most: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def take_in(self, file: Path) -> None:
        """Counts the tests of one run."""
        for test in ET.parse(file).iter("testcase"):  # noqa: S314 - written by pytest
            module = test.get("classname", "").removeprefix("tests.").replace(".", "/")
            name = test.get("name", "").partition("[")[0]
            ended = next((word for word in WORST if test.find(word) is not None), "passed")
            self.counts[f"{module}.py", name][ended] += 1
            for seen in test.iter("property"):
                number = float(seen.get("value", "0"))
                self.most[seen.get("name", "")] = max(self.most[seen.get("name", "")], number)

    def of(self, case: Case) -> str:
        """The result of a case: `passed` where all of its tests ran and passed."""
        if not case.applies:
            return "does not apply"
        counts = [self.counts[test] for test in case.tests]
        if not all(counts):
            return "not run"
        return next((word for word in WORST if any(each[word] for each in counts)), "passed")


def cases() -> tuple[Case, ...]:
    """The rows of the page, in its order."""
    return tuple(
        Case(name, when, what, tuple(NAMED.findall(shown)))
        for name, when, what, shown in ROW.findall(PAGE.read_text())
    )


def lines(results: Results) -> Iterator[str]:
    """The table, and what was seen."""
    yield "| Case | When | Tests | Result |\n|---|---|---|---|"
    for case in cases():
        shown = [f"{name} ({results.counts[file, name].total()})" for file, name in case.tests]
        yield f"| {case.name} | {case.when} | {', '.join(shown)} | {results.of(case)} |"
    ended = Counter(results.of(case) for case in cases())
    yield "\nCases: " + ", ".join(f"{count} {word}" for word, count in ended.most_common())
    yield "Most: " + ", ".join(f"{name} {most:g}" for name, most in sorted(results.most.items()))


def main(files: Sequence[str]) -> int:
    """Prints the table; 1 where a case that applies did not pass."""
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        for file in files or [_run(Path(folder) / "results.xml")]:
            results.take_in(Path(file))
    sys.stdout.write("".join(f"{line}\n" for line in lines(results)))
    return int({results.of(case) for case in cases()} != {"passed", "does not apply"})


def _run(file: Path) -> str:
    named = {f"{TESTS}/{path}::{name}" for case in cases() for path, name in case.tests}
    pytest.main([*sorted(named), "-q", f"--junitxml={file}"])
    return str(file)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
