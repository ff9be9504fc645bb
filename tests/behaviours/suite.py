"""The whole suite of behaviours."""

from __future__ import annotations

from tests.behaviours import (
    code_blocks,
    faults,
    loose_openai,
    mentioned_code,
    multi_turn,
    odd_programs,
    text_calls,
    tool_names,
    unanswerable,
)
from tests.behaviours.behaviour import Behaviour


def suite() -> tuple[Behaviour, ...]:
    """Every behaviour, in the order of its families."""
    calling = (tool_names, odd_programs, loose_openai, text_calls, code_blocks)
    families = (*calling, multi_turn, faults, unanswerable, mentioned_code)
    return tuple(behaviour for family in families for behaviour in family.behaviours())
