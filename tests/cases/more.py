"""Cases of other people, in their own shape: files or folders named by MINI_AGENT_MORE_CASES."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from tests.cases.case import Case, Suite
from tests.cases.more_abuse import AbuseLine
from tests.cases.more_complaints import ComplaintLine
from tests.cases.more_programs import ProgramLine

VARIABLE: Final = "MINI_AGENT_MORE_CASES"
_LINE: Final[TypeAdapter[AbuseLine | ProgramLine | ComplaintLine]] = TypeAdapter(
    AbuseLine | ProgramLine | ComplaintLine
)


def more_suites() -> tuple[Suite, ...]:
    """A suite for each category of each file; none where the variable is not set."""
    named = os.environ.get(VARIABLE, "")
    files = [file for part in named.split(":") if part for file in _files(Path(part))]
    return tuple(suite for file in files for suite in _read(file))


def _files(place: Path) -> Iterator[Path]:
    yield from sorted(place.glob("*.jsonl")) if place.is_dir() else [place]


def _read(file: Path) -> Iterator[Suite]:
    found = defaultdict[str, list[Case]](list)
    for line in file.read_text(encoding="utf-8").splitlines():
        case = _LINE.validate_json(line).case()
        found[case.category].append(case)
    for category, cases in sorted(found.items()):
        yield Suite(name=f"{file.stem}/{category}", cases=tuple(cases))
