"""Counts the results of one agent's runs, and formats the table of all agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.behaviours.behaviour import Kind
from tests.behaviours.judge import Verdict

COLUMNS: Final = (
    "right answers",
    "honest stops",
    "nothing run",
    "blank",
    "raw call shown",
    "wrong executions",
    "late",
    "exceptions",
    "invalid transcripts",
)


@dataclass(frozen=True, slots=True)
class Scores:
    """One row."""

    label: str
    verdicts: Sequence[Verdict]

    @property
    def line(self) -> str:
        """The row in Markdown."""
        faults = (
            self._count(lambda each: each.is_blank),
            self._count(lambda each: each.shows_a_raw_call),
            self._count(lambda each: bool(each.wrong_runs)),
            self._count(lambda each: each.is_late),
            self._count(lambda each: bool(each.outcome.error)),
            self._count(lambda each: bool(each.outcome.broken_rules)),
        )
        kinds = (self._right("recoverable"), self._right("honest"), self._right("nothing"))
        return f"| {self.label} | {' | '.join((*kinds, *map(str, faults)))} |"

    def _right(self, kind: Kind) -> str:
        of_kind = [each for each in self.verdicts if each.behaviour.kind == kind]
        right = sum(each.is_right for each in of_kind)
        return f"{right} of {len(of_kind)} ({100 * right / max(1, len(of_kind)):.0f} %)"

    def _count(self, is_so: Callable[[Verdict], bool]) -> int:
        return sum(map(is_so, self.verdicts))


def table(rows: Sequence[Scores]) -> str:
    """All rows under their heads."""
    head = f"| Agent | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}"
    return "\n".join((head, *(row.line for row in rows)))
