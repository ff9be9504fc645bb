"""All of the suite."""

from __future__ import annotations

from tests.behaviours import (
    code_blocks,
    loose_openai,
    faults,
    tool_names,
    odd_programs,
    mentioned_code,
    text_calls,
    unanswerable,
    multi_turn,
)
from tests.behaviours.behaviour import Behaviour


def suite() -> tuple[Behaviour, ...]:
    """Every behaviour, in the order of its families."""
    calling = (tool_names, odd_programs, loose_openai, text_calls, code_blocks)
    families = (*calling, multi_turn, faults, unanswerable, mentioned_code)
    return tuple(behaviour for family in families for behaviour in family.behaviours())
