"""A session as Markdown, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mini_agent.coding.transcript.log import Block, Entry
from mini_agent.coding.transcript.session import Session
from mini_agent.errors import BadRequest

MOST_CHARS: Final = 2000
WHO: Final = {"user": "## You", "assistant": "## The assistant"}


def export(session: Session, path: Path) -> None:
    """Writes it to a file that must not be there yet."""
    text = "\n\n".join(_parts(session.entries)) + "\n"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise BadRequest(f"{path} is there already", hint="name another file") from None
    except OSError as unwritable:
        raise BadRequest(f"{path} cannot be written: {unwritable.strerror}") from None


def _parts(entries: tuple[Entry, ...]) -> Iterator[str]:
    last = ""
    for entry in entries:
        if entry.type != last and not _only_results(entry):
            last = entry.type
            yield WHO[entry.type]
        yield from (_part(block) for block in entry.blocks)


def _only_results(entry: Entry) -> bool:
    return all(block.get("type") == "tool_result" for block in entry.blocks)


def _part(block: Block) -> str:
    match block.get("type"):
        case "text":
            return str(block.get("text") or "")
        case "tool_use":
            given = json.dumps(block.get("input"), ensure_ascii=False)
            return f"`{block.get('name')}` {given:.{MOST_CHARS}}"
        case "tool_result":
            content = block.get("content")
            text = content if isinstance(content, str) else json.dumps(content)
            return f"```text\n{text[:MOST_CHARS].replace('```', '` ` `')}\n```"
        case kind:
            return f"({kind})"
