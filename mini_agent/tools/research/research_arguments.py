"""The arguments of the research tools, read and checked."""

from __future__ import annotations

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import NotRun, text_in


def words_in(arguments: JsonObject, name: str) -> str:
    """The text under `name`, which must be there and say something."""
    words = text_in(arguments, name).strip()
    if not words:
        raise NotRun(f"the argument {name} is empty")
    return words


def optional_words_in(arguments: JsonObject, name: str) -> str:
    """The text under `name`; empty where there is none."""
    return "" if arguments.get(name) is None else text_in(arguments, name).strip()


def count_in(arguments: JsonObject, name: str, most: int) -> int | None:
    """The whole number under `name`, put into the range from 1 to `most`; None when left out."""
    asked = arguments.get(name)
    if asked is None:
        return None
    try:
        if not isinstance(asked, str | int | float) or isinstance(asked, bool):
            raise ValueError  # noqa: TRY004  one answer for everything that is no number
        return min(max(int(asked), 1), most)
    except (ValueError, OverflowError):
        raise NotRun(f"{name} must be a whole number, not {asked!r:.60}") from None
