"""A message with the pictures it names."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from mini_agent.agent.images.download import Download
from mini_agent.agent.images.limits import ImageLimits
from mini_agent.agent.images.mentions import is_url, mentions
from mini_agent.agent.images.sources import content_of
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message


@dataclass
class Attaching:
    """Puts pictures beside the texts of one conversation, and counts them."""

    folder: Path
    limits: ImageLimits
    download: Download = field(default_factory=Download)
    count: int = 0

    async def to(self, index: int, message: Message) -> Message:
        """The message number `index`; raises `BadRequest` for a picture that cannot be had."""
        text = message.get("content")
        if message.get("role") != "user" or not isinstance(text, str):
            return message
        try:
            parts = [part for name in mentions(text) for part in await self._picture(name)]
        except BadRequest as wrong:
            raise BadRequest(
                wrong.message, field=f"messages[{index}].content", hint=wrong.hint
            ) from None
        return (
            {**message, "content": [{"type": "text", "text": text}, *parts]} if parts else message
        )

    async def _picture(self, name: str) -> list[JsonObject]:
        content = await self._content(name)
        if content is None:
            return []
        self.count += 1
        if self.count > self.limits.images:
            raise BadRequest(
                f"{name} is one picture more than the {self.limits.images} a conversation may have",
                hint="name fewer, or pass ImageLimits(images=...)",
            )
        return [await asyncio.to_thread(_picture_part, content, name, self.limits)]

    async def _content(self, name: str) -> bytes | None:
        if is_url(name):
            return await self.download.content(name, self.limits)
        return await asyncio.to_thread(content_of, name, self.folder, self.limits)


def _picture_part(content: bytes, name: str, limits: ImageLimits) -> JsonObject:
    # Imported here: it imports Pillow, which is an extra.
    from mini_agent.agent.images.codec import picture_part

    return picture_part(content, name, limits)
