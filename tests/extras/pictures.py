"""Messages with pictures, as the tests read them."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image

from mini_agent.messages import Message


def parts(message: Message) -> list[dict[str, object]]:
    """The parts of a message's content."""
    content = message["content"]
    assert isinstance(content, list)
    return [dict(part) for part in content if isinstance(part, dict)]


def pictures(message: Message) -> list[Image.Image]:
    """The pictures of a message, decoded."""
    return [_decoded(part) for part in parts(message) if part["type"] == "image_url"]


def _decoded(part: dict[str, object]) -> Image.Image:
    image_url = part["image_url"]
    assert isinstance(image_url, dict)
    head, _, encoded = str(image_url["url"]).partition(",")
    image = Image.open(BytesIO(base64.b64decode(encoded)))
    assert head == f"data:image/{str(image.format).lower()};base64"
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file of `kind` holds it."""
    written = BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()
