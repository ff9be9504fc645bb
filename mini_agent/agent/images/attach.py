"""Finds the names of images in the texts of messages, and attaches the images."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final
from urllib.parse import urlsplit

from mini_agent.agent.images.download import ImageDownloader
from mini_agent.agent.images.sources import ImageLimits, read_image_file
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message

IMAGE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif")
URL_SCHEMES: Final = ("http://", "https://")
# A URL, a quoted name (which may contain blanks), or a word.
NAME_PATTERN: Final = re.compile(
    r"""(?P<url>https?://[^\s"'`<>]+)"""
    r"""|(?P<quote>["'`])(?P<quoted>[^"'`\n]+)(?P=quote)"""
    r"""|(?P<word>[^\s"'`<>()\[\]{},;]+)""",
    re.IGNORECASE,
)
SENTENCE_ENDS: Final = ".,;:!?"


def find_image_names(text: str) -> list[str]:
    """Finds the paths and URLs in `text` with an image's suffix, in order, each once."""
    return list(dict.fromkeys(name for name in _find_names(text) if _is_image_name(name)))


def is_url(name: str) -> bool:
    """Tells whether `name` is a URL, not a path."""
    return name.lower().startswith(URL_SCHEMES)


def _find_names(text: str) -> Iterator[str]:
    for found in NAME_PATTERN.finditer(text):
        name = found["quoted"] or found["url"] or found["word"]
        yield _strip_sentence_end(name) if not found["quoted"] else name


def _strip_sentence_end(name: str) -> str:
    shorter = name.rstrip(SENTENCE_ENDS)
    if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
        shorter = _strip_sentence_end(shorter[:-1])
    return shorter


def _is_image_name(name: str) -> bool:
    try:
        path = urlsplit(name).path if is_url(name) else name
    except ValueError:
        return False
    return PurePath(path).suffix.lower() in IMAGE_SUFFIXES


@dataclass
class ImageAttacher:
    """Attaches images to the messages of one conversation, and counts them."""

    folder: Path
    limits: ImageLimits
    downloader: ImageDownloader = field(default_factory=ImageDownloader)
    count: int = 0

    async def attach(self, index: int, message: Message) -> Message:
        """Attaches the images that message number `index` names; may raise `BadRequest`."""
        text = message.get("content")
        if message.get("role") != "user" or not isinstance(text, str):
            return message
        try:
            parts = [
                part for name in find_image_names(text) for part in await self._load_image(name)
            ]
        except BadRequest as wrong:
            raise BadRequest(
                wrong.message, field=f"messages[{index}].content", hint=wrong.hint
            ) from None
        return (
            {**message, "content": [{"type": "text", "text": text}, *parts]} if parts else message
        )

    async def _load_image(self, name: str) -> list[JsonObject]:
        content = await self._load_content(name)
        if content is None:
            return []
        self.count += 1
        if self.count > self.limits.images:
            raise BadRequest(
                f"{name} is one picture more than the {self.limits.images} a conversation may have",
                hint="name fewer, or pass ImageLimits(images=...)",
            )
        return [await asyncio.to_thread(_encode_image, content, name, self.limits)]

    async def _load_content(self, name: str) -> bytes | None:
        if is_url(name):
            return await self.downloader.fetch(name, self.limits)
        return await asyncio.to_thread(read_image_file, name, self.folder, self.limits)


def _encode_image(content: bytes, name: str, limits: ImageLimits) -> JsonObject:
    # Imported here: the codec imports Pillow, which is an extra.
    from mini_agent.agent.images.codec import encode_image

    return encode_image(content, name, limits)
