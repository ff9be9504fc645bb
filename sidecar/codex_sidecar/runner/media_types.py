"""The media type of a file that a snippet left: its content decides, its name what is left open."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from mini_agent_protocol.media_types import sniff_media_type

UNKNOWN: Final = "application/octet-stream"
PLAIN_TEXT: Final = "text/plain"
ZIP: Final = "application/zip"
MAX_JSON_CHARS: Final = 1 << 20
SVG_PREFIX_CHARS: Final = 4096
MIMETYPE_BYTES: Final = 100

# Types of text; which of them a text is, only its name says.
_TEXT_TYPES: Final = MappingProxyType(
    {
        ".css": "text/css",
        ".csv": "text/csv",
        ".eps": "application/postscript",
        ".htm": "text/html",
        ".html": "text/html",
        ".ics": "text/calendar",
        ".ipynb": "application/x-ipynb+json",
        ".geojson": "application/geo+json",
        ".js": "text/javascript",
        ".jsonl": "application/jsonl",
        ".md": "text/markdown",
        ".mjs": "text/javascript",
        ".ndjson": "application/x-ndjson",
        ".py": "text/x-python",
        ".rtf": "application/rtf",
        ".tex": "application/x-tex",
        ".toml": "application/toml",
        ".tsv": "text/tab-separated-values",
        ".xhtml": "application/xhtml+xml",
        ".xml": "application/xml",
        ".yaml": "application/yaml",
        ".yml": "application/yaml",
    }
)
# Archives and other containers, whose content is what the name says or an archive of that form.
_NAMED_BYTES: Final = MappingProxyType(
    {
        ".avro": "application/avro",
        ".feather": "application/vnd.apache.arrow.file",
        ".mp3": "audio/mpeg",
        ".npy": "application/x-npy",
        ".pickle": "application/x-python-pickle",
        ".pkl": "application/x-python-pickle",
        ".tar": "application/x-tar",
        ".ttf": "font/ttf",
        ".xls": "application/vnd.ms-excel",
    }
)
# Their first bytes are letters, with which a text may begin as well.
_LIKE_WORDS: Final = frozenset(
    {
        "application/vnd.apache.parquet",
        "application/x-bzip2",
        "audio/flac",
        "audio/mpeg",
        "audio/ogg",
        "font/woff",
        "font/woff2",
        "image/bmp",
    }
)
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
# What an archive has to hold to be what its name says.
_ARCHIVES: Final = MappingProxyType(
    {
        ".docx": ("word/document.xml", f"{_OFFICE}wordprocessingml.document"),
        ".jar": ("META-INF/MANIFEST.MF", "application/java-archive"),
        ".pptx": ("ppt/presentation.xml", f"{_OFFICE}presentationml.presentation"),
        ".xlsx": ("xl/workbook.xml", f"{_OFFICE}spreadsheetml.sheet"),
    }
)
_MAGIC_OF_NAMED: Final = MappingProxyType(
    {
        ".avro": b"Obj\x01",
        ".feather": b"ARROW1",
        ".mp3": b"\xff",
        ".npy": b"\x93NUMPY",
        ".pickle": b"\x80",
        ".pkl": b"\x80",
        ".ttf": b"\x00\x01\x00\x00",
        ".xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    }
)
_PROLOGUE: Final = (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"))
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_CONTROLS: Final = frozenset(map(chr, range(32))) - set("\t\n\r\f\v\x08\x07\x1b")


def detect_media_type(name: str, content: bytes) -> str:
    """Return the media type of a file; images are recognised by their content alone."""
    suffix = PurePosixPath(name).suffix.lower()
    text = _decode(content, suffix)
    found = sniff_media_type(content)
    if found == ZIP:
        return _detect_archive(content)
    if found and (text is None or found not in _LIKE_WORDS):
        return found
    if text is not None:
        return _detect_text_type(suffix, text)
    return _detect_named(suffix, content)


def _detect_named(suffix: str, content: bytes) -> str:
    magic = _MAGIC_OF_NAMED.get(suffix)
    is_tar = suffix == ".tar" and content[257:262] == b"ustar"
    known = is_tar or (magic is not None and content.startswith(magic))
    return _NAMED_BYTES[suffix] if known else UNKNOWN


def _detect_archive(content: bytes) -> str:
    """Return the kind of document that a zip archive is, or that of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            # OpenDocument and EPUB say what they are in a file of that name, which comes first.
            head = content[38 : 38 + MIMETYPE_BYTES] if content[30:38] == b"mimetype" else b""
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return ZIP
    if head:
        return _declared_type(head) or ZIP
    return next((kind for member, kind in _ARCHIVES.values() if member in names), ZIP)


def _declared_type(head: bytes) -> str:
    declared = head.partition(b"PK")[0].decode("ascii", errors="replace")
    is_known = declared.startswith(("application/vnd.oasis.opendocument.", "application/epub+zip"))
    return declared if is_known and declared.isprintable() else ""


def _decode(content: bytes, suffix: str) -> str | None:
    """Decode text of whichever encoding; a name of a text is believed of bytes above ASCII."""
    try:
        text = content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        if suffix not in _TEXT_TYPES and suffix not in {".txt", ".log", ".json", ".svg"}:
            return None
        text = content.decode("latin-1")
    return None if _CONTROLS & set(text) else text


def _detect_text_type(suffix: str, text: str) -> str:
    if _is_svg(text[:SVG_PREFIX_CHARS].lstrip()):
        return "image/svg+xml"
    named = _TEXT_TYPES.get(suffix)
    if named is None or named == "application/json":
        return "application/json" if _is_json(suffix, text) else PLAIN_TEXT
    return named


def _is_svg(text: str) -> bool:
    while opened := next((pair for pair in _PROLOGUE if text.startswith(pair[0])), None):
        _, _, rest = text.partition(opened[1])
        text = rest.lstrip()
    return text[:4] == "<svg" and text[4:5] in {" ", "\t", "\r", "\n", ">", "/"}


def _is_json(suffix: str, text: str) -> bool:
    """Tell JSON from text: an object or an array, and of a file so named any other value, too."""
    is_container = text.lstrip().startswith(("{", "["))
    if not (is_container or suffix == ".json") or len(text) > MAX_JSON_CHARS:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
