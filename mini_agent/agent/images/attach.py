"""A message with the pictures it names.

The pictures that a text names: by a path, or by a URL.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final
from urllib.parse import urlsplit

from mini_agent.agent.images.download import Download
from mini_agent.agent.images.sources import ImageLimits, content_of
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif")
WEB: Final = ("http://", "https://")
# A URL, a name in quotes (which may hold blanks), or a word.
WORDS: Final = re.compile(
    r"""(?P<url>https?://[^\s"'`<>]+)"""
    r"""|(?P<quote>["'`])(?P<quoted>[^"'`\n]+)(?P=quote)"""
    r"""|(?P<word>[^\s"'`<>()\[\]{},;]+)""",
    re.IGNORECASE,
)
ENDS_OF_SENTENCES: Final = ".,;:!?"


def mentions(text: str) -> list[str]:
    """The paths and URLs in `text` that end like a picture's, in order, each once."""
    return list(dict.fromkeys(name for name in _names(text) if _is_a_pictures(name)))


def is_url(mention: str) -> bool:
    """Whether it is to be fetched, rather than read."""
    return mention.lower().startswith(WEB)


def _names(text: str) -> Iterator[str]:
    for found in WORDS.finditer(text):
        name = found["quoted"] or found["url"] or found["word"]
        yield _without_the_sentences_end(name) if not found["quoted"] else name


def _without_the_sentences_end(name: str) -> str:
    shorter = name.rstrip(ENDS_OF_SENTENCES)
    if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
        shorter = _without_the_sentences_end(shorter[:-1])
    return shorter


def _is_a_pictures(name: str) -> bool:
    try:
        path = urlsplit(name).path if is_url(name) else name
    except ValueError:
        return False
    return PurePath(path).suffix.lower() in SUFFIXES


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
