"""Media types by a file's first bytes: one table for the services and the assistant."""

from __future__ import annotations

from typing import Final

# The image types that models accept.
IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# As many bytes as the longest rule reads.
MAX_MAGIC_BYTES: Final = 12
MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)


def sniff_media_type(beginning: bytes) -> str:
    """Return the media type of a file that begins with these bytes; empty where it is unknown."""
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in MAGIC if beginning.startswith(magic)), "")
