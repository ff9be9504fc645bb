"""A prompt of the user: text, or a JSON list of content blocks."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from mini_agent.coding.transcript.log import Block
from mini_agent.errors import BadRequest

BLOCKS = TypeAdapter(list[Block])
BLOCK_TYPES = ("text", "image", "tool_result", "document")


@dataclass(frozen=True, slots=True)
class PromptInput:
    """`text` goes through hooks; `blocks`, where there are any, are appended as they are.

    `piped` is what came on standard input beside the text, which alone may call a command.
    """

    text: str = ""
    blocks: tuple[Block, ...] = ()
    piped: str = ""

    def with_text(self, text: str) -> PromptInput:
        """Return the input with this text behind what was piped in."""
        whole = "\n\n".join(part for part in (self.piped, text) if part)
        return PromptInput(whole, self.blocks)


def parse_prompt(prompt: str) -> PromptInput:
    """Parse a prompt; what begins with `[` but is no list of blocks is text.

    Raises `BadRequest` for a block of an unknown type.
    """
    if not prompt.lstrip().startswith("["):
        return PromptInput(prompt)
    try:
        blocks = BLOCKS.validate_json(prompt)
    except ValidationError:
        return PromptInput(prompt)
    for index, block in enumerate(blocks):
        if block.get("type") not in BLOCK_TYPES:
            raise BadRequest(
                f"block {index} of -p has the type {block.get('type')!r:.40}",
                hint=f"known types: {', '.join(BLOCK_TYPES)}",
            )
    return PromptInput(blocks=tuple(blocks)) if blocks else PromptInput(prompt)
