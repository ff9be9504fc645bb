"""Text and bytes as they are written in a tool's arguments: text, or bytes as a data: URL."""

from __future__ import annotations

import base64
import binascii
from typing import Final

DATA_URL: Final = "data:"
MARK: Final = ";base64,"
HOW: Final = "Text, or bytes as data:;base64,..."


def bytes_written(content: str) -> bytes:
    """What `content` stands for; `ValueError` for a data: URL that holds no base64."""
    head, mark, body = content.partition(MARK)
    if not mark or not head.startswith(DATA_URL):
        return content.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the data: URL holds no base64") from None
