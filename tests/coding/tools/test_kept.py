"""What an edit keeps of a file: its names, links, owner, mode, mark, line ends and layout."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import BinaryIO

import pytest
from pydantic import JsonValue

from mini_agent.coding.tools import text_file
from tests.coding.tools.conftest import ToolFixture

MARK = b"\xef\xbb\xbf"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


async def edit(tools: ToolFixture, path: str, old: str = "one", new: str = "two") -> None:
    await tools.text("Read", file_path=path)
    await tools.text("Edit", file_path=path, old_string=old, new_string=new)


@pytest.mark.parametrize("tool", ["Edit", "MultiEdit", "Write"])
async def test_both_names_of_a_file_stay_one_file(tools: ToolFixture, tool: str) -> None:
    path = await tools.read_file("a.txt", "one\n")
    (tools.folder / "b.txt").hardlink_to(path)
    await tools.text("Read", file_path=path)
    change: JsonValue = {"old_string": "one", "new_string": "two"}
    arguments: dict[str, dict[str, JsonValue]] = {
        "Edit": {"old_string": "one", "new_string": "two"},
        "MultiEdit": {"edits": [change]},
        "Write": {"content": "two\n"},
    }
    await tools.text(tool, file_path=path, **arguments[tool])
    assert tools.content("b.txt") == b"two\n"
    assert (tools.folder / "b.txt").samefile(path)


async def test_a_shorter_content_leaves_no_rest_in_a_file_with_two_names(
    tools: ToolFixture,
) -> None:
    path = await tools.read_file("a.txt", "one and much more\n")
    (tools.folder / "b.txt").hardlink_to(path)
    await tools.text("Read", file_path=path)
    await tools.text("Write", file_path=path, content="1")
    assert tools.content("b.txt") == b"1"


async def test_where_an_overwrite_fails_the_old_content_is_put_back(
    tools: ToolFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await tools.read_file("a.txt", "one\n")
    (tools.folder / "b.txt").hardlink_to(path)
    await tools.text("Read", file_path=path)
    write_all, calls = text_file._write_all, list[bytes]()

    def fail_once(file: BinaryIO, content: bytes) -> None:
        calls.append(content)
        write_all(file, content)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(text_file, "_write_all", fail_once)
    refused = await tools.error("Edit", file_path=path, old_string="one", new_string="three")
    assert "No space left on device" in refused
    assert tools.content("b.txt") == b"one\n"


async def test_links_to_links_stay_links(tools: ToolFixture) -> None:
    tools.file("real.txt", "one")
    (tools.folder / "first").symlink_to("real.txt")
    (tools.folder / "second").symlink_to("first")
    await edit(tools, "second")
    assert (tools.folder / "second").is_symlink()
    assert (tools.folder / "first").is_symlink()
    assert tools.content("real.txt") == b"two"


@needs_root
@pytest.mark.parametrize("mode", [0o640, 0o755, 0o4755])
async def test_owner_and_mode_stay(tools: ToolFixture, mode: int) -> None:
    path = tools.folder / tools.file("a.txt", "one")
    os.chown(path, 1234, 5678)
    path.chmod(mode)
    await edit(tools, str(path))
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 5678, mode)


MARKED = {
    "a mark": (MARK + b"one\n", MARK + b"two\n"),
    "no line end": (MARK + b"one", MARK + b"two"),
    "windows": (MARK + b"one\r\n", MARK + b"two\r\n"),
    "utf-16": ("one\n".encode("utf-16"), "two\n".encode("utf-16")),
}


@pytest.mark.parametrize("kind", MARKED)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
async def test_a_mark_is_neither_doubled_nor_lost(tools: ToolFixture, kind: str, mark: str) -> None:
    before, after = MARKED[kind]
    end = after.decode("utf-16" if kind == "utf-16" else "utf-8-sig").removeprefix("two")
    path = tools.file("a.txt", before)
    await edit(tools, path, f"{mark}one", f"{mark}two")
    assert tools.content("a.txt") == after
    await tools.text("Write", file_path=path, content=f"{mark}two{end}")
    assert tools.content("a.txt") == after
    change: JsonValue = {"old_string": f"{mark}two", "new_string": f"{mark}one"}
    await tools.text("MultiEdit", file_path=path, edits=[change])
    assert tools.content("a.txt") == before


async def test_a_new_file_with_a_mark_has_one(tools: ToolFixture) -> None:
    await tools.text("Write", file_path="a.txt", content="\ufeffone")
    assert tools.content("a.txt") == MARK + b"one"
    await tools.text("Write", file_path="a.txt", content="\ufefftwo")
    assert tools.content("a.txt") == MARK + b"two"


@pytest.mark.parametrize("content", ["one\ntwo\n", "one\r\ntwo\r\n", "one\ntwo\r\n"])
async def test_a_file_of_windows_stays_one(tools: ToolFixture, content: str) -> None:
    path = await tools.read_file("a.bat", "1\r\n2\r\n")
    await tools.text("Write", file_path=path, content=content)
    assert tools.content("a.bat") == b"one\r\ntwo\r\n"


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
async def test_the_end_of_a_file_stays(tools: ToolFixture, end: str) -> None:
    path = tools.file("a.txt", f"zero\none{end}")
    await edit(tools, path)
    assert tools.content("a.txt").decode() == f"zero\ntwo{end}"


CELL: dict[str, object] = {
    "cell_type": "markdown",
    "id": "m",
    "metadata": {},
    "source": ["# \u00e4"],
}
CODE: dict[str, object] = {
    "source": ["x = 1"],
    "outputs": [],
    "metadata": {"b": [1, 2.5], "a": None},
    "id": "c",
    "execution_count": None,
    "cell_type": "code",
}
NOTEBOOK = {"nbformat_minor": 5, "nbformat": 4, "metadata": {}, "cells": [CELL, CODE]}
LAYOUTS = {
    "one line": json.dumps(NOTEBOOK),
    "no blanks": json.dumps(NOTEBOOK, separators=(",", ":")),
    "no blanks, unicode": json.dumps(NOTEBOOK, separators=(",", ":"), ensure_ascii=False),
    "one blank": json.dumps(NOTEBOOK, indent=1, ensure_ascii=False) + "\n",
    "four": json.dumps(NOTEBOOK, indent=4) + "\n\n",
    "no indent": json.dumps(NOTEBOOK, indent=0, ensure_ascii=False) + "\n",
    "tabs": json.dumps(NOTEBOOK, indent="\t"),
    "colons": json.dumps(NOTEBOOK, indent=2, separators=(",", ":")),
    "windows": json.dumps(NOTEBOOK, indent=1, ensure_ascii=False).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_notebook_keeps_its_layout(tools: ToolFixture, layout: str) -> None:
    path = await tools.read_file("n.ipynb", LAYOUTS[layout])
    change = {"notebook_path": path, "cell_id": "c"}
    await tools.text("NotebookEdit", **change, new_source="x = 2")
    expected = LAYOUTS[layout].replace("x = 1", "x = 2")
    assert tools.content("n.ipynb").decode() == expected
    await tools.text("NotebookEdit", **change, new_source="x = 1")
    assert tools.content("n.ipynb").decode() == LAYOUTS[layout]
