"""Costs: a measured figure beside its limit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.samples import Samples


@dataclass(frozen=True, slots=True)
class Cost:
    """A measured figure; its median must not exceed `allowed`, if that is set."""

    key: str
    samples: Samples
    unit: str
    allowed: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the limit is met."""
        return self.allowed is None or self.samples.p50 <= self.allowed


def table(costs: Sequence[Cost], of: str) -> str:
    """Format the costs as a Markdown table."""
    head = f"| {of} | n | p50 | p95 | wanted | met |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_row(cost) for cost in costs)])


def _row(cost: Cost) -> str:
    taken = cost.samples
    limit = "" if cost.allowed is None else f"<= {cost.allowed:g} {cost.unit}".rstrip()
    met = "" if cost.allowed is None else "yes" if cost.is_met else "NO"
    shown = f"{f'{taken.p50:.3g} {cost.unit}'.rstrip()} | {taken.p95:.3g}"
    return f"| {taken.label} | {len(taken.taken)} | {shown} | {limit} | {met} |"


def line(costs: Sequence[Cost]) -> str:
    """Format the medians by key as JSON."""
    return json.dumps({cost.key: round(cost.samples.p50, 4) for cost in costs})
