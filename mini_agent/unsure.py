"""Whether an answer says of itself that it is a guess."""

from __future__ import annotations

import re
from typing import Final

# What is quoted, or printed by a program, is not the model speaking of itself.
QUOTED: Final = re.compile(r"```.*?(```|\Z)|`[^`\n]*`|\"[^\"\n]*\"|“[^”]*”", re.DOTALL)
SIGNS: Final = re.compile(
    r"""
      \b(i\ am|i'm|we\ are|we're)\ (really\ |quite\ |still\ |just\ )?
        (not\ (\w+\ )?(sure|certain)|unsure|uncertain|guessing|unable\ to\ (find|determine|say))
    | (^|[.!?]\s+)(sorry,\ (but\ )?)?(not\ (\w+\ )?sure|hard\ to\ say|no\ idea)\b
    | \bi\ (\w+\ )?(do\ not|don't)\ (\w+\ )?(know|have\ (enough|any|access\ to)\b.*\binformation)
    | \bi\ (can\ not|cannot|can't|could\ not|couldn't|was\ (unable|not\ able)\ to)\s
        (find|determine|verify|look\ up|tell\ for\ sure)
    | \bi\ have\ no\ (idea|information)\b
    | \b(my|a)\ (best|educated)\ guess\b | \bi\ (would|can\ only)\ guess\b
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


def is_unsure(text: str) -> bool:
    """Whether the writer of `text` says in the first person that the answer is not known."""
    own_words = QUOTED.sub(" ", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return SIGNS.search(own_words) is not None
