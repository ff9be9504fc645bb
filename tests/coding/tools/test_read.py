"""Reading: lines with their numbers, from files of any size and encoding."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mini_agent.agent.context_window import estimate_tokens
from mini_agent.coding.tools.read import MAX_TOKENS
from tests.coding.tools.conftest import ToolFixture, install_script

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


async def test_lines_come_with_their_numbers(tools: ToolFixture) -> None:
    path = tools.file("a.txt", "one\n\nthree")
    told = await tools.text("Read", file_path=path)
    assert told.startswith("    1→one\n    2→\n    3→three\n\n<system-reminder>If the file looks")
    assert "goes on" not in told


async def test_a_part_says_where_to_read_on(tools: ToolFixture) -> None:
    path = tools.file("a.txt", "".join(f"line {number}\n" for number in range(1, 11)))
    told = await tools.text("Read", file_path=path, offset=3, limit=2)
    assert told.startswith("    3→line 3\n    4→line 4\n\n")
    assert "goes on after line 4; read on with offset 5" in told


async def test_behind_the_last_line_there_is_a_warning(tools: ToolFixture) -> None:
    path = tools.file("a.txt", "one\ntwo")
    told = await tools.text("Read", file_path=path, offset=9)
    assert "only has 2 lines,\nso there's nothing after your specified offset 9." in told
    empty = tools.file("empty", "")
    assert "only has 0 lines" in await tools.text("Read", file_path=empty)


async def test_a_file_of_any_size_can_be_paged_through(tools: ToolFixture) -> None:
    path = tools.file("big.txt", "".join(f"{number}\n" for number in range(1, 400_001)))
    whole = await tools.error("Read", file_path=path)
    assert whole.startswith("File content (2.6MB) exceeds maximum allowed size (256KB).\nInstead")
    told = await tools.text("Read", file_path=path, offset=399_999)
    assert told.startswith("399999→399999\n400000→400000\n\n")


async def test_a_file_that_was_too_large_does_not_count_as_read(tools: ToolFixture) -> None:
    path = tools.file("big.txt", "x\n" * 200_000)
    await tools.error("Read", file_path=path)
    edited = await tools.error("Edit", file_path=path, old_string="x", new_string="y")
    assert "has not been read yet" in edited


async def test_too_many_tokens_are_refused_and_a_part_of_them_is_not(tools: ToolFixture) -> None:
    path = tools.file("wide.txt", f"{'x' * 120}\n" * 1500)
    assert "exceeds maximum allowed tokens" in await tools.error("Read", file_path=path)
    assert "1→xxx" in await tools.text("Read", file_path=path, limit=100)


async def test_the_tokens_of_a_file_are_those_of_the_loops_estimate(tools: ToolFixture) -> None:
    text = f"{'x' * 99}\n" * 768
    path = tools.file("wide.txt", text)
    assert estimate_tokens(text) == MAX_TOKENS
    assert "1→xxx" in await tools.text("Read", file_path=path)
    longer = text + "one\nmore\nline\n"
    path = tools.file("wider.txt", longer)
    tokens = estimate_tokens(longer)
    refused = await tools.error("Read", file_path=path)
    assert refused.startswith(f"File content ({tokens} tokens) exceeds maximum allowed tokens")


async def test_a_line_of_megabytes_is_cut_between_characters(tools: ToolFixture) -> None:
    path = tools.file("min.js", f"x{'é' * 1_000_000}\nlast\n")
    told = await tools.text("Read", file_path=path, offset=1, limit=2)
    assert "    2→last\n" in told
    assert "Too long to be shown whole: line 1." in told
    assert "Ã" not in told
    assert len(told.encode()) < 70_000


@pytest.mark.parametrize(
    "content",
    [
        "grün\nblau\n".encode("utf-8-sig"),
        "grün\r\nblau\r\n".encode("utf-16"),
        "grün\nblau\n".encode("cp1252"),
        b"gr\xfcn\r\nblau",
    ],
)
async def test_other_encodings_are_read_as_text(tools: ToolFixture, content: bytes) -> None:
    path = tools.file("a.txt", content)
    assert (await tools.text("Read", file_path=path)).startswith("    1→grün\n    2→blau\n\n")


async def test_a_picture_comes_as_a_picture(tools: ToolFixture) -> None:
    path = tools.file("dot.png", PNG)
    output = await tools.call("Read", file_path=path)
    (attached,) = output.attachments
    assert (attached.media_type, base64.b64decode(attached.base64)) == ("image/png", PNG)


async def test_a_notebook_comes_with_its_outputs_and_pictures(tools: ToolFixture) -> None:
    shown = {"text/plain": ["<Figure>"], "image/png": base64.b64encode(PNG).decode()}
    cell = {
        "cell_type": "code",
        "id": "abc",
        "source": ["x = 1\n", "x"],
        "outputs": [
            {"output_type": "stream", "text": ["hello\n"]},
            {"output_type": "display_data", "data": shown},
            {"output_type": "error", "ename": "ValueError", "evalue": "no"},
        ],
    }
    path = tools.file("n.ipynb", json.dumps({"cells": [cell], "nbformat": 4}))
    output = await tools.call("Read", file_path=path)
    assert output.model_text == (
        '<cell id="abc" type="code">\nx = 1\nx\n<output>\nhello\n\n<Figure>\nValueError: no\n'
        "</output>\n</cell>"
    )
    assert [attached.media_type for attached in output.attachments] == ["image/png"]


def make_pdf(*pages: str) -> bytes:
    """Return a PDF with a line on each page."""
    shown = [f"BT /F 12 Tf 72 720 Td ({text}) Tj ET".encode() for text in pages]
    kids = " ".join(f"{3 + 2 * context} 0 R" for context in range(len(pages)))
    font = "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}/MediaBox[0 0 612 792]{font}>>".encode(),
    ]
    for context, text in enumerate(shown):
        parts.append(f"<</Type/Page/Parent 2 0 R/Contents {4 + 2 * context} 0 R>>".encode())
        parts.append(b"<</Length %d>>stream\n%s\nendstream" % (len(text), text))
    objects = b"".join(
        b"%d 0 obj%s endobj\n" % (context, part) for context, part in enumerate(parts, 1)
    )
    return b"%PDF-1.7\n" + objects + b"trailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mini_agent.coding.tools.media.PDF_PACKAGE", "not_installed")


async def test_of_a_pdf_the_text_comes_by_lines(tools: ToolFixture) -> None:
    path = tools.file("a.pdf", make_pdf("one", "two"))
    assert (await tools.text("Read", file_path=path, limit=1)).startswith("    1→one\n\n")
    assert "    2→" in await tools.text("Read", file_path=path, offset=2)
    assert "→two" in (await tools.text("Read", file_path=path)).replace("\f", "")
    assert "has not been read yet" in await tools.error("Write", file_path=path, content="x")


async def test_a_broken_pdf_is_named(tools: ToolFixture) -> None:
    path = tools.file("a.pdf", b"%PDF-1.7\n\0")
    refused = await tools.error("Read", file_path=path)
    assert refused.startswith(f"Error: pypdfium2 cannot read {path}: Failed to load document")


@pytest.mark.usefixtures("without_the_extra")
async def test_without_the_extra_pdftotext_reads_a_pdf(tools: ToolFixture, tmp_path: Path) -> None:
    path = tools.file("a.pdf", b"%PDF-1.7\n\0")
    environment = install_script(tmp_path / "bin", 'printf "one\\ntwo\\n\\f" >"$5"', "pdftotext")
    context = ToolFixture(replace(tools.context, environment=environment))
    assert (await context.text("Read", file_path=path, limit=1)).startswith("    1→one\n\n")
    assert (await context.text("Read", file_path=path, offset=2)).startswith("    2→two\n")
    assert "has not been read yet" in await context.error("Write", file_path=path, content="x")
    broken = install_script(
        tmp_path / "broken", "echo 'May not be a PDF file' >&2; exit 1", "pdftotext"
    )
    refused = await ToolFixture(replace(tools.context, environment=broken)).error(
        "Read", file_path=path
    )
    assert refused == f"Error: pdftotext cannot read {path}: May not be a PDF file"
    missing = await tools.without_program("pdftotext", tmp_path / "none").error(
        "Read", file_path=path
    )
    assert "pip install 'mini-agent[pdf]'" in missing
    assert "apt-get install poppler-utils" in missing


async def test_what_cannot_be_read_says_why(tools: ToolFixture) -> None:
    tools.file("main.py", "x")
    os.mkfifo(tools.folder / "pipe")
    path = tools.folder / "main.js"
    missing = await tools.error("Read", file_path=str(path))
    assert missing == (
        "<tool_use_error>File does not exist. Did you mean main.py?</tool_use_error>"
    )
    assert "is a folder" in await tools.error("Read", file_path=str(tools.folder))
    assert "not a regular file" in await tools.error("Read", file_path="pipe")
    assert "not a text file" in await tools.error("Read", file_path=tools.file("b", b"\0\1"))
    assert "is not a notebook" in await tools.error("Read", file_path=tools.file("n.ipynb", "{"))
    assert "NUL character" in await tools.error("Read", file_path="a\0b")
    assert "File name too long" in await tools.error("Read", file_path="x" * 300)


async def test_wrong_arguments_are_named(tools: ToolFixture) -> None:
    told = await tools.error("Read", path="a", offset="soon")
    assert told == (
        "Error: The required parameter `file_path` is missing.\n"
        "Error: the parameter `offset` type is expected as `integer` but provided as `str`\n"
        "Error: an unexpected parameter `path` was provided.\n"
    )
    assert "there is no tool 'Fly'; there are: Bash" in await tools.error("Fly")


async def test_relative_paths_begin_where_the_shell_is(tools: ToolFixture) -> None:
    tools.file("sub/a.txt", "here")
    await tools.text("Bash", command="cd sub")
    assert "here" in await tools.text("Read", file_path="a.txt")


async def test_a_link_in_a_circle_is_an_answer(tools: ToolFixture) -> None:
    (tools.folder / "loop").symlink_to("loop")
    assert await tools.error("Read", file_path="loop")
