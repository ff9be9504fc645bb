"""Rules of permission: a tool, or a tool and what of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mini_agent.errors import BadRequest

RULE_SYNTAX: Final = re.compile(r"(?P<tool>[A-Za-z_][\w.*-]*)(?:\((?P<spec>.*)\))?", re.DOTALL)
ANY_SPEC: Final = ("", "*", "**")


@dataclass(frozen=True, slots=True)
class Rule:
    """`Tool` or `Tool(spec)`; an empty `spec` means every call of the tool."""

    tool: str
    spec: str = ""

    def __str__(self) -> str:
        return f"{self.tool}({self.spec})" if self.spec else self.tool


@dataclass(frozen=True, slots=True)
class Rules:
    """What is denied, what is asked for, and what is allowed, in the order of their weight."""

    deny: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    allow: tuple[Rule, ...] = ()

    def __add__(self, more: Rules) -> Rules:
        return Rules(self.deny + more.deny, self.ask + more.ask, self.allow + more.allow)


def parse_rule(text: str) -> Rule:
    """The rule in `text`; `BadRequest` when it is none."""
    found = RULE_SYNTAX.fullmatch(text.strip())
    if found is None or found["spec"] == "":
        raise BadRequest(
            f"{text!r:.200} is no rule", hint="write Tool or Tool(what), such as Bash(git diff *)"
        )
    spec = (found["spec"] or "").strip()
    return Rule(found["tool"], "" if spec in ANY_SPEC else spec)
