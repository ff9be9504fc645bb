"""What a file is, told from what it holds."""

from __future__ import annotations

import io
import zipfile

import pytest

from codex_sidecar.runner.media_types import detect_media_type

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
        ("a", b"\xff\xfe\xfd", "application/octet-stream"),
        ("a.txt", b"\xff\xfe", "text/plain"),
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


def _zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.text")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("sales.xlsx", _zipped("xl/workbook.xml"), "spreadsheetml.sheet"),
        ("letter.docx", _zipped("word/document.xml"), "wordprocessingml.document"),
        ("talk.pptx", _zipped("ppt/presentation.xml"), "presentationml.presentation"),
        ("letter.odt", _zipped("mimetype"), "application/vnd.oasis.opendocument.text"),
        ("fake.xlsx", _zipped("readme"), "application/zip"),
        ("broken.docx", b"PK\x03\x04", "application/zip"),
        ("empty.zip", _zipped(), "application/zip"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-excel"),
    ],
)
def test_an_archive_is_the_document_it_holds(name: str, content: bytes, media_type: str) -> None:
    assert detect_media_type(name, content).endswith(media_type)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("towns.csv", "ort\nKöln\n".encode("latin-1"), "text/csv"),
        ("towns.tsv", "ort\nKöln\n".encode("utf-16"), "text/tab-separated-values"),
        ("page.htm", "<p>déjà".encode("cp1252"), "text/html"),
        ("mail.txt", "Grüße".encode("latin-1"), "text/plain"),
        ("plot.svg", b'<?xml version="1.0"?>\r\n<svg\r\n width="3"/>', "image/svg+xml"),
        ("plot.svg", b"\xef\xbb\xbf<svg/>", "image/svg+xml"),
        ("set.json", b'\xef\xbb\xbf{"a": 1}', "application/json"),
        ("set.json", b"17", "application/json"),
        ("set.json", "{'ü'}".encode("latin-1"), "text/plain"),
        ("set.yml", b"a: 1", "application/yaml"),
        ("bar.log", b"10%\x08\x08\x0820%\n", "text/plain"),
        ("notes", b"BM is short for business manager", "text/plain"),
        ("clip.mp4", b"\0\0\0\x20ftypisom\0\0", "video/mp4"),
        ("photo.heic", b"\0\0\0\x18ftypheic", "image/heic"),
        ("scan.tif", b"MM\0*\0\0", "image/tiff"),
        ("site.ico", b"\0\0\1\0\1\0", "image/x-icon"),
        ("sound.wav", b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        ("array.npy", b"\x93NUMPY\1\0", "application/x-npy"),
        ("array.npy", b"\0\1", "application/octet-stream"),
        ("table.parquet", b"PAR1\x15\x04", "application/vnd.apache.parquet"),
        ("fig.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "application/postscript"),
    ],
)
def test_a_name_settles_what_content_leaves_open(
    name: str, content: bytes, media_type: str
) -> None:
    assert detect_media_type(name, content) == media_type
