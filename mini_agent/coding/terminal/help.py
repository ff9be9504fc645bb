"""The slash commands that there are, and what may follow a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HELP: Final[Mapping[str, str]] = {
    "help": "this list",
    "clear": "begin a new session",
    "compact": "put a summary in the place of the conversation; /compact WHAT MATTERS",
    "context": "how full the model's context is",
    "resume": "go on with an earlier session; /resume NUMBER or ID",
    "model": "which model answers; /model NAME changes it",
    "permissions": "the rules and the mode; /permissions MODE changes it, Shift-Tab does too",
    "mcp": "the MCP servers and the tools",
    "agents": "the subagents",
    "hooks": "the hooks",
    "cost": "tokens and price so far",
    "plan": "plan mode, in which nothing is changed; /plan true, /plan false",
    "export": "write the conversation to a Markdown file; /export FILE",
    "doctor": "what works here and what does not",
    "exit": "leave; Ctrl-D does too",
}


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a session: the end, with an exit code; or another, an earlier one or a new one;
    or the same with another model. `why` is what hooks are told of it."""

    goes_on: bool = False
    session: str = ""
    model: str = ""
    code: int = 0
    why: str = "other"


LEFT: Final = Next(why="prompt_input_exit")
