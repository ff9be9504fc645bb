"""What a model thinks, told from what it says, where it writes both into one text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

THOUGHT: Final = re.compile(r"<think(?:ing)?>(.*?)</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
OPENING: Final = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
CLOSING: Final = re.compile(r"</think(?:ing)?>", re.IGNORECASE)


class Said(NamedTuple):
    """The text meant for the reader, and the thoughts behind it."""

    text: str
    reasoning: str


def without_thoughts(text: str) -> Said:
    """`text` split at its `<think>` tags; either of a pair may be missing.

    Some chat templates write the opening tag themselves, and a reply that is cut off never
    reaches the closing one.
    """
    thoughts = THOUGHT.findall(text)
    rest = THOUGHT.sub("", text)
    before, *after = CLOSING.split(rest)
    if after:
        thoughts.insert(0, before)
        rest = "".join(after)
    rest, *unfinished = OPENING.split(rest, maxsplit=1)
    thoughts.extend(unfinished)
    return Said(rest.strip(), "\n".join(thought.strip() for thought in thoughts).strip())
