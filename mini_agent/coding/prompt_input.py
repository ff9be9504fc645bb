"""What the user hands in: words, or a JSON list of content blocks."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from mini_agent.coding.transcript.log import Block
from mini_agent.errors import BadRequest

BLOCKS = TypeAdapter(list[Block])
KINDS = ("text", "image", "tool_result", "document")


@dataclass(frozen=True, slots=True)
class Given:
    """`text` goes through hooks; `blocks`, where there are some, go in as they are."""

    text: str = ""
    blocks: tuple[Block, ...] = ()


def given_in(prompt: str) -> Given:
    """What `prompt` hands in; text that begins with `[` may be text all the same."""
    if not prompt.lstrip().startswith("["):
        return Given(prompt)
    try:
        blocks = BLOCKS.validate_json(prompt)
    except ValidationError:
        return Given(prompt)
    for place, block in enumerate(blocks):
        if block.get("type") not in KINDS:
            raise BadRequest(
                f"block {place} of -p has the type {block.get('type')!r:.40}",
                hint=f"known types: {', '.join(KINDS)}",
            )
    return Given(blocks=tuple(blocks)) if blocks else Given(prompt)
