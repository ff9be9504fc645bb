"""Permission rules: `Tool` or `Tool(spec)`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mini_agent.errors import BadRequest

RULE_SYNTAX: Final = re.compile(r"(?P<tool>[A-Za-z_][\w.*-]*)(?:\((?P<spec>.*)\))?", re.DOTALL)
ANY_SPEC: Final = ("", "*", "**")


@dataclass(frozen=True, slots=True)
class Rule:
    """A tool and which of its calls; an empty `spec` means every call."""

    tool: str
    spec: str = ""

    def __str__(self) -> str:
        return f"{self.tool}({self.spec})" if self.spec else self.tool


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that deny, ask and allow, in the order of precedence."""

    deny: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    allow: tuple[Rule, ...] = ()

    def __add__(self, more: Rules) -> Rules:
        return Rules(self.deny + more.deny, self.ask + more.ask, self.allow + more.allow)


def parse_rule(text: str) -> Rule:
    """Parse the text of a rule; raise `BadRequest` if it is none."""
    match = RULE_SYNTAX.fullmatch(text.strip())
    if match is None or match["spec"] == "":
        raise BadRequest(
            f"{text!r:.200} is no rule", hint="write Tool or Tool(what), such as Bash(git diff *)"
        )
    spec = (match["spec"] or "").strip()
    return Rule(match["tool"], "" if spec in ANY_SPEC else spec)
