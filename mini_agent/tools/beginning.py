"""The beginning of a text that is longer than a model gets to read of one output."""

from __future__ import annotations

from typing import Final

from mini_agent.tools.observation_ import TAIL

ROOM_FOR_REMARK: Final = 50


def beginning(text: str, most: int = TAIL) -> str:
    """`text`, or what of its beginning fits in `most` characters, to the end of a line or sentence.

    Of what a program printed the end counts; of what was looked up the best comes first.
    """
    if len(text) <= most:
        return text
    kept = text[: max(0, most - ROOM_FOR_REMARK)]
    end = max(kept.rfind("\n"), kept.rfind(". ") + 1)
    kept = kept[:end] if end > len(kept) // 2 else kept
    return f"{kept.rstrip()}\n({len(text) - len(kept)} more characters were left out)"
