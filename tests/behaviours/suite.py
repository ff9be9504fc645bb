"""All of the suite."""

from __future__ import annotations

from tests.behaviours import blocks, faults, names, refrained, spoken, stops, turns
from tests.behaviours.behaviour import Behaviour


def suite() -> tuple[Behaviour, ...]:
    """Every behaviour, in the order of its families."""
    families = (names, spoken, blocks, turns, faults, stops, refrained)
    return tuple(behaviour for family in families for behaviour in family.behaviours())
