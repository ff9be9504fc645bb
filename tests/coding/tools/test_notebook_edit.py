"""Notebooks, changed cell by cell."""

from __future__ import annotations

import json

from tests.coding.tools.conftest import ToolFixture

CELLS: list[dict[str, object]] = [
    {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["# ä"]},
    {
        "cell_type": "code",
        "id": "c",
        "metadata": {"x": 1},
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "text": ["old"]}],
        "source": ["x = 1"],
    },
]
WRITTEN = json.dumps(
    {"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
    indent=1,
    ensure_ascii=False,
)


async def test_a_replaced_cell_loses_what_it_printed_and_all_else_stays(tools: ToolFixture) -> None:
    path = await tools.read_file("n.ipynb", WRITTEN + "\n")
    await tools.text("NotebookEdit", notebook_path=path, cell_id="c", new_source="x = 2\nx")
    written = tools.content("n.ipynb").decode()
    expected = [
        CELLS[0],
        CELLS[1] | {"execution_count": None, "outputs": [], "source": ["x = 2\n", "x"]},
    ]
    assert json.loads(written)["cells"] == expected
    assert written.startswith('{\n "cells": [')
    assert "# ä" in written
    assert written.endswith("\n")


async def test_cells_are_inserted_and_deleted(tools: ToolFixture) -> None:
    path = await tools.read_file("n.ipynb", WRITTEN)
    inserted = {"cell_id": "m", "new_source": "hi", "cell_type": "markdown", "edit_mode": "insert"}
    await tools.text("NotebookEdit", notebook_path=path, **inserted)
    await tools.text("NotebookEdit", notebook_path=path, cell_id="c", edit_mode="delete")
    first, second = json.loads(tools.content("n.ipynb"))["cells"]
    assert first == CELLS[0]
    assert second["source"] == ["hi"]
    assert second["id"]


async def test_a_cell_that_is_not_there_is_named(tools: ToolFixture) -> None:
    path = await tools.read_file("n.ipynb", WRITTEN)
    refused = await tools.error("NotebookEdit", notebook_path=path, cell_id="z", new_source="")
    assert refused == "Error: there is no cell 'z'; there are: m, c"


async def test_a_notebook_has_to_be_read_first(tools: ToolFixture) -> None:
    path = tools.file("n.ipynb", WRITTEN)
    refused = await tools.error("NotebookEdit", notebook_path=path, cell_id="c", new_source="")
    assert "has not been read yet" in refused
