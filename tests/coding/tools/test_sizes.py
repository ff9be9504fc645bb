"""Answers are bounded, say what was cut, and can be continued."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from pydantic import JsonValue

from tests.coding.tools.conftest import ToolFixture

MANY_LINES = "".join(f"line {number} {'x' * 80}\n" for number in range(1, 5001))
MAX_ANSWER_CHARS = 50_000


async def test_a_write_of_many_lines_shows_the_first(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", "old")
    told = await tools.text("Write", file_path=path, content=MANY_LINES)
    assert len(told) < MAX_ANSWER_CHARS
    last = max(int(line[:5]) for line in told.splitlines() if "→" in line)
    assert f"only lines 1 to {last} are shown; Read with offset {last + 1} shows the other" in told
    read = await tools.text("Read", file_path=path, offset=last + 1, limit=1)
    assert read.startswith(f"{last + 1:5}→line {last + 1} ")


async def test_an_edit_that_puts_in_many_lines_shows_the_first(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", "one\ntwo\n")
    told = await tools.text("Edit", file_path=path, old_string="two\n", new_string=MANY_LINES)
    assert len(told) < MAX_ANSWER_CHARS
    assert "are shown; Read with offset" in told
    assert tools.content("a.txt").decode() == f"one\n{MANY_LINES}"


async def test_a_line_of_megabytes_is_shown_in_part(tools: ToolFixture) -> None:
    path = tools.file("a.js", "x" * 1_000_000 + "\nend\n")
    await tools.text("Read", file_path=path, offset=2)
    edited = await tools.text("Edit", file_path=path, old_string="end", new_string="END")
    assert len(edited) < 4_000
    assert "[... 998000 more characters]" in edited
    assert edited.endswith("    2→END\n")
    written = await tools.text("Write", file_path=path, content="y" * 500_000)
    assert len(written) < 4_000


async def test_long_texts_are_not_said_back_whole(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", f"{'x' * 50_000} {'x' * 50_000}")
    arguments: dict[str, JsonValue] = {"old_string": "x" * 50_000, "new_string": "y" * 60_000}
    every = await tools.text("Edit", file_path=path, **arguments, replace_all=True)
    assert len(every) < 4_000
    assert "[... 49000 more characters]" in every
    edits: list[JsonValue] = [{"old_string": "y" * 60_000, "new_string": "z", "replace_all": True}]
    assert len(await tools.text("MultiEdit", file_path=path, edits=edits)) < 4_000
    assert tools.content("a.txt") == b"z z"


async def test_of_thousands_of_edits_the_first_are_listed(tools: ToolFixture) -> None:
    names = [f"<{number}>" for number in range(2000)]
    path = await tools.read_file("a.txt", "".join(names))
    edits: list[JsonValue] = [{"old_string": name, "new_string": f"{name[:-1]}!"} for name in names]
    told = await tools.text("MultiEdit", file_path=path, edits=edits)
    assert told.startswith(f'Applied 2000 edits to {path}:\n1. Replaced "<0>" with "<0!"\n')
    assert len(told) < MAX_ANSWER_CHARS
    assert " edits were made too and are not listed" in told


async def test_a_large_notebook_is_read_cell_by_cell(tools: ToolFixture) -> None:
    cells = [
        {"cell_type": "code", "id": f"c{n}", "source": ["x" * 1000], "metadata": {}, "outputs": []}
        for n in range(200)
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = tools.file("n.ipynb", json.dumps(notebook))
    first = await tools.body("Read", file_path=path)
    shown = first.count("<cell ")
    assert 0 < shown < 200
    assert await tools.remark("Read", file_path=path) == (
        f"there is more: these are cells 1 to {shown} of 200; offset {shown + 1} goes on"
    )
    rest = await tools.body("Read", file_path=path, offset=shown + 1, limit=2)
    assert f'<cell id="c{shown}" ' in rest
    assert f'<cell id="c{shown + 1}" ' in rest
    assert rest.count("<cell ") == 2
    edited = await tools.text(
        "NotebookEdit", notebook_path=path, cell_id="c1", new_source="y" * 90_000
    )
    assert len(edited) < 11_000


@dataclass(frozen=True)
class LongPage:
    """Fetches a page of this text."""

    text: str

    async def fetch(self, url: str) -> str:
        del url
        return self.text


async def test_a_long_page_goes_on_at_its_offset(tools: ToolFixture) -> None:
    page = "".join(f"paragraph {number}\n" for number in range(10_000))
    context = ToolFixture(replace(tools.context, page_fetcher=LongPage(page)))
    arguments: dict[str, JsonValue] = {"url": "https://example.org", "prompt": "all"}
    assert len(await context.text("WebFetch", **arguments)) < 51_000
    remark = await context.remark("WebFetch", **arguments)
    assert remark.endswith(f"1 to 50000 of {len(page)}; offset 50000 goes on")
    rest = await context.text("WebFetch", **arguments, offset=len(page) - 16)
    assert "\nparagraph 9999\n" in rest
