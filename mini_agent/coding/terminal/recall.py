"""What was said before in a session that goes on, for the one who goes on with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from mini_agent.coding.terminal.formatting import call_shown
from mini_agent.coding.transcript.log import Block, Entry
from mini_agent.messages import JsonObject
from mini_agent.net.terminal_text import visible

MOST: Final = 20
MOST_CHARS: Final = 1000
REMINDER: Final = "<system-reminder>"


def recalled(entries: Sequence[Entry]) -> list[Text]:
    """The last words and calls, the user's behind `>`, the model's behind `<`."""
    said = [text for entry in entries if not entry.is_meta for text in _said(entry)]
    left = len(said) - MOST
    before = [Text(f"  ... {left} more before", style="dim")] if left > 0 else []
    return [*before, *said[-MOST:]]


def _said(entry: Entry) -> Iterator[Text]:
    for block in entry.blocks:
        kind, words = block.get("type"), str(block.get("text") or "").strip()
        if kind == "tool_use":
            yield Text(f"  >> {_call(block)}", style="dim")
        elif words and not words.startswith(REMINDER):
            mark = ">" if entry.type == "user" else "<"
            yield Text(f"{mark} {visible(words[:MOST_CHARS])}", style="dim")


def _call(block: Block) -> str:
    given = block.get("input")
    arguments: JsonObject = given if isinstance(given, dict) else {}
    return call_shown(str(block.get("name")), arguments)
