"""Pictures in messages: those of tools' results, in types that models take, and refused ones."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

from pydantic import JsonValue

from mini_agent.coding.transcript.messages import REFUSED
from mini_agent.errors import BadRequest
from mini_agent.messages import Attachment, JsonObject, Message
from mini_agent.result import ToolInvocation
from mini_agent_protocol.media_types import IMAGE_TYPES, MAX_MAGIC_BYTES, sniff_media_type

# 5 MB in base64, the limit of model servers.
MAX_BASE64_CHARS: Final = 5_000_000
MAX_SVG_CHARS: Final = 8000
BROKEN: Final = "(a picture whose bytes could not be read was left out here)"
UNSEEN: Final = (
    "(a picture of the type {kind}, {size} bytes, which the model cannot be shown: {why})"
)
SVG: Final = (
    "(an SVG picture, which the model cannot be shown as one; its source follows)\n{source}"
)
NO_PILLOW: Final = "pip install 'mini-agent[images]' converts it"


def picture_part(attachment: Attachment) -> JsonObject:
    """Build the part of a message that shows an image."""
    url = f"data:{attachment.media_type};base64,{attachment.base64}"
    return {"type": "image_url", "image_url": {"url": url}}


def find_pictures(call: ToolInvocation) -> list[JsonObject]:
    """Build the parts for the images in the result of a call."""
    images = [each for each in call.attachments if each.media_type.startswith("image/")]
    return [picture_part(each) for each in images]


def insert_pictures(
    messages: Sequence[Message], pictures: Mapping[str, Sequence[JsonObject]]
) -> list[Message]:
    """Insert the pictures of calls, by call id, below the results of each turn."""
    inserted: list[Message] = []
    waiting: list[JsonValue] = []
    for message in messages:
        if message["role"] != "tool" and waiting:
            inserted.append({"role": "user", "content": waiting})
            waiting = []
        inserted.append(message)
        waiting = [*waiting, *pictures.get(str(message.get("tool_call_id")), ())]
    return [*inserted, {"role": "user", "content": waiting}] if waiting else inserted


class PictureFilter:
    """Rewrites the pictures of requests; one that was refused is never sent again."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def apply(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages with pictures that models take, others as words."""
        return [_replace_parts(message, self._rewrite) for message in messages]

    def refuse(self, messages: Sequence[Message]) -> int:
        """Remember the pictures of a refused request; return how many are new."""
        before = len(self._refused)
        for message in messages:
            self._refused |= {_fingerprint(url) for url in _picture_urls(message)}
        return len(self._refused) - before

    def _rewrite(self, part: JsonObject) -> JsonObject:
        url = _picture_url(part)
        if not url:
            return part
        shown = convert_picture(url)
        is_refused = {_fingerprint(url), _fingerprint(_picture_url(shown))} & self._refused
        return text_part(REFUSED) if is_refused else shown


@lru_cache(maxsize=64)
def convert_picture(url: str) -> JsonObject:
    """Convert an embedded picture to a part that models take: a picture, else words."""
    head, is_embedded, encoded = url.partition(";base64,")
    if not is_embedded:
        return {"type": "image_url", "image_url": {"url": url}}
    declared = head.removeprefix("data:").lower()
    try:
        beginning = base64.b64decode(encoded[: MAX_MAGIC_BYTES * 4])
    except (binascii.Error, ValueError):
        return text_part(BROKEN)
    kind = sniff_media_type(beginning)
    if kind in IMAGE_TYPES and len(encoded) <= MAX_BASE64_CHARS:
        # The declared type may be another one, and servers refuse that.
        return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{encoded}"}}
    return _convert_or_describe(declared, encoded)


def text_part(text: str) -> JsonObject:
    """Build a part of text."""
    return {"type": "text", "text": text}


def _convert_or_describe(kind: str, encoded: str) -> JsonObject:
    try:
        content = base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return text_part(BROKEN)
    if "svg" in kind or content.lstrip()[:5].lower() in (b"<svg ", b"<?xml"):
        return text_part(SVG.format(source=content.decode("utf-8", "replace")[:MAX_SVG_CHARS]))
    try:
        # Imported here: the codec imports Pillow, which is an extra.
        from mini_agent.agent.images.codec import convert_image
        from mini_agent.agent.images.sources import DEFAULT_IMAGE_LIMITS

        return convert_image(content, "the picture", DEFAULT_IMAGE_LIMITS)
    except ImportError:
        why = NO_PILLOW
    except BadRequest as unreadable:
        why = unreadable.message
    return text_part(UNSEEN.format(kind=kind, size=len(content), why=why))


def _replace_parts(message: Message, rewrite: Callable[[JsonObject], JsonObject]) -> Message:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [rewrite(p) if isinstance(p, dict) else p for p in content]}


def _picture_urls(message: Message) -> Iterator[str]:
    content = message.get("content")
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and (url := _picture_url(part)):
            yield url


def _picture_url(part: JsonObject) -> str:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    return url if isinstance(url, str) else ""


def _fingerprint(url: str) -> str:
    return sha256(url.encode("utf-8", "replace")).hexdigest()
