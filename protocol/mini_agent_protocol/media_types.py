"""Media types by a file's first bytes: one table for the services and the assistant."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

# The image types that models accept.
IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# As many bytes as the longest rule reads.
MAX_MAGIC_BYTES: Final = 16
# Of files that begin alike, the one of the longer beginning comes first.
MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"%!PS-Adobe", "application/postscript"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x00asm", "application/wasm"),
    (b"\x7fELF", "application/x-executable"),
)
# What the first four bytes of a container leave open, the eight after its length say.
_RIFF: Final = MappingProxyType(
    {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
)
_MPEG4: Final = MappingProxyType(
    {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"avif": "image/avif", b"heic": "image/heic"}
)


def sniff_media_type(beginning: bytes) -> str:
    """Return the media type of a file that begins with these bytes; empty where it is unknown."""
    kind = beginning[8:12]
    if beginning[:4] == b"RIFF":
        return _RIFF.get(kind, "")
    if beginning[4:8] == b"ftyp":
        return _MPEG4.get(kind, "video/mp4")
    return next((kind for magic, kind in MAGIC if beginning.startswith(magic)), "")
