"""How a session stands, read from its lines."""

from __future__ import annotations

from typing import Final

from mini_agent.coding.prompts.builtin import Standing
from mini_agent.coding.transcript.log import Entry
from mini_agent.coding.transcript.session import Session

TODOS: Final = "TodoWrite"


def standing_of(session: Session, *, in_plan_mode: bool) -> Standing:
    """What reminders depend on."""
    prompts, since_todos = 0, 0
    for entry in session.entries:
        if any(use.get("name") == TODOS for use in entry.of_type("tool_use")):
            since_todos = 0
        elif _is_prompt(entry):
            prompts += 1
            since_todos += 1
    return Standing(prompts == 0, in_plan_mode, since_todos)


def _is_prompt(entry: Entry) -> bool:
    return entry.type == "user" and bool(entry.text) and not entry.is_meta
