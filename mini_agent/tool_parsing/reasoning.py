"""What a model thinks, told from what it says, where it writes both into one text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

TAG: Final = re.compile(
    r"<(?P<closes>/?)(?:think(?:ing)?|thought|reasoning|reflection)>"
    r"|\[(?P<closes_too>/?)THINK\]|<\|(?P<begins>begin|end)_of_thought\|>",
    re.IGNORECASE,
)


class Said(NamedTuple):
    """The text meant for the reader, and the thoughts behind it."""

    text: str
    reasoning: str


def without_thoughts(text: str) -> Said:
    """`text` split at its `<think>` tags; either of a pair may be missing.

    Some chat templates write the opening tag themselves, and a reply that is cut off never
    reaches the closing one.
    """
    said: list[str] = []
    thoughts: list[str] = []
    position, is_thinking = 0, False
    for tag in TAG.finditer(text):
        closes = bool(tag["closes"] or tag["closes_too"] or tag["begins"] == "end")
        if closes and not is_thinking:
            # What was taken for speech was thought: the opening tag is missing.
            thoughts.extend(part for part in said if part.strip())
            said = []
        (thoughts if closes or is_thinking else said).append(text[position : tag.start()])
        position, is_thinking = tag.end(), not closes
    (thoughts if is_thinking else said).append(text[position:])
    return Said("".join(said).strip(), "\n".join(part.strip() for part in thoughts).strip())
