"""What a file is, told from what it holds."""

from __future__ import annotations

import pytest

from codex_sidecar.runner.files import detect_media_type

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"\x89PNG\r\n\x1a\n...", "image/png"),
        ("a", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a", b"GIF89a", "image/gif"),
        ("a", b"RIFF\0\0\0\0WEBP", "image/webp"),
        ("a.csv", b"%PDF-1.7", "application/pdf"),
        ("a.txt", SVG, "image/svg+xml"),
        ("a", b'<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE svg>\n' + SVG, "image/svg+xml"),
        ("a.png", b"text", "text/plain"),
        ("a.svg", b"text", "text/plain"),
        ("a.png", b"\0\1\2", "application/octet-stream"),
        ("a.txt", b"\xff\xfe", "application/octet-stream"),
        ("a.txt", b'{"a": 1}', "application/json"),
        ("a.json", b"{broken", "text/plain"),
        ("a.json", b"[" * 100_000, "text/plain"),
        ("a.CSV", b"a,b", "text/csv"),
        ("a.html", b"<p>", "text/html"),
        ("a.md", b"# x", "text/markdown"),
        ("a.xml", b"<a/>", "application/xml"),
        ("a", b"<!--" * 1000, "text/plain"),
        ("a", b"", "text/plain"),
    ],
)
def test_a_name_makes_no_image(name: str, content: bytes, told: str) -> None:
    assert detect_media_type(name, content) == told
