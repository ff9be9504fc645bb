"""The result of a proof: judgements by suite, some latencies, and the service."""

from __future__ import annotations

from dataclasses import dataclass

from bench.machine import Machine
from bench.samples import Samples
from tests.cases.court import Judgement


@dataclass(frozen=True, slots=True)
class Verdict:
    """A suite, judged."""

    name: str
    judgements: tuple[Judgement, ...]

    @property
    def failed(self) -> tuple[Judgement, ...]:
        """Those that are not as they should be."""
        return tuple(each for each in self.judgements if each.faults)

    @property
    def skipped(self) -> tuple[Judgement, ...]:
        """Those that could not be asked."""
        return tuple(each for each in self.judgements if each.skipped)

    @property
    def passed(self) -> int:
        """How many are as they should be."""
        return len(self.judgements) - len(self.failed) - len(self.skipped)


@dataclass(frozen=True, slots=True)
class Proof:
    """A run of everything."""

    made_at: str
    service: str
    runtime: str
    versions: tuple[tuple[str, str], ...]
    machine: Machine
    verdicts: tuple[Verdict, ...]
    latencies: tuple[Samples, ...]
    seconds: float

    @property
    def failed(self) -> tuple[tuple[str, Judgement], ...]:
        """All that are not as they should be, with their suites."""
        return tuple((verdict.name, each) for verdict in self.verdicts for each in verdict.failed)

    def count(self, prefix: str = "") -> tuple[int, int, int]:
        """As expected, failed, not asked; of the suites whose names begin so."""
        chosen = [each for each in self.verdicts if each.name.startswith(prefix)]
        passed = sum(each.passed for each in chosen)
        failed = sum(len(each.failed) for each in chosen)
        return passed, failed, sum(len(each.skipped) for each in chosen)
