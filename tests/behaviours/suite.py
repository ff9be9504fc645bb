"""All of the suite."""

from __future__ import annotations

from tests.behaviours import (
    blocks,
    bodies,
    faults,
    names,
    odd_programs,
    refrained,
    spoken,
    stops,
    turns,
)
from tests.behaviours.behaviour import Behaviour


def suite() -> tuple[Behaviour, ...]:
    """Every behaviour, in the order of its families."""
    calling = (names, odd_programs, bodies, spoken, blocks)
    families = (*calling, turns, faults, stops, refrained)
    return tuple(behaviour for family in families for behaviour in family.behaviours())
