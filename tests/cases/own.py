"""Our own cases: one TOML file a category."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from tests.cases.case import Case, Suite

FOLDER: Final = Path(__file__).parent


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    case: tuple[Case, ...]


def own_suites(kind: Literal["abuse", "programs"]) -> tuple[Suite, ...]:
    """The suites of a kind, by the names of their files."""
    return tuple(_read(kind, path) for path in sorted((FOLDER / kind).glob("*.toml")))


def _read(kind: str, path: Path) -> Suite:
    written = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    cases = tuple(case.model_copy(update={"category": path.stem}) for case in written.case)
    return Suite(name=f"{kind}/{path.stem}", cases=cases)
