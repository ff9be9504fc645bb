"""Jupyter notebooks: their cells as text, and the file with one cell changed.

The tool NotebookEdit.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, JsonValue

from mini_agent.coding.tools.base import Call, Changing, said
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.media import attachment, with_attachments
from mini_agent.coding.tools.text_file import TextFile, read_text_file
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.messages import Attachment, JsonObject, json_object
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput

MOST_CHARACTERS: Final = 96_000
LONGEST_OUTPUT: Final = 10_000
MOST_PICTURES: Final = 20
PICTURES: Final = ("image/png", "image/jpeg")
INDENT: Final = re.compile(r"\{\n( +)")


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook, and how its file is written."""

    file: TextFile
    content: JsonObject
    cells: list[JsonObject]

    @property
    def version(self) -> tuple[int, int]:
        """The version of its format."""
        major, minor = self.content.get("nbformat"), self.content.get("nbformat_minor")
        return (
            major if isinstance(major, int) else 4,
            minor if isinstance(minor, int) else 0,
        )

    def written(self, cells: list[JsonObject]) -> TextFile:
        """The file with these cells, indented as it was."""
        found = INDENT.search(self.file.shown)
        content: JsonObject = {**self.content, "cells": [*cells]}
        text = json.dumps(content, ensure_ascii=False, indent=len(found[1]) if found else 1)
        text += "\n" if self.file.text.endswith("\n") else ""
        return self.file.holding(text.replace("\n", "\r\n") if self.file.has_crlf else text)


def notebook_in(path: Path) -> Notebook:
    """The notebook; `NotRun` for a file that is none."""
    file = read_text_file(path)
    try:
        content = json_object(file.text)
    except ValueError as broken:
        raise NotRun(f"Error: {path} is not a notebook: {broken}") from None
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise NotRun(f"Error: {path} is not a notebook: it has no cells.")
    return Notebook(file, content, [cell for cell in cells if isinstance(cell, dict)])


def read_notebook(path: Path) -> ToolOutput:
    """All cells with what they printed and drew; `NotRun` when that is too much."""
    notebook = notebook_in(path)
    shown = "\n".join(_cell(place, cell) for place, cell in enumerate(notebook.cells))
    if len(shown) > MOST_CHARACTERS:
        raise NotRun(
            f"Error: the notebook {path} has {len(shown)} characters; at most {MOST_CHARACTERS} "
            "can be shown. Search it with the Grep tool, or take it apart with jq in Bash."
        )
    drawn = tuple(each for cell in notebook.cells for each in _pictures(cell))
    return with_attachments(said(shown), drawn[:MOST_PICTURES])


def cell_name(place: int, cell: JsonObject) -> str:
    """By what a cell is called: its id, or its place in notebooks that have no ids."""
    own = cell.get("id")
    return own if isinstance(own, str) and own else f"cell-{place}"


def joined(text: JsonValue) -> str:
    """The text of a cell, which a notebook may hold as a list of lines."""
    if isinstance(text, list):
        return "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""


def _cell(place: int, cell: JsonObject) -> str:
    kind = cell.get("cell_type")
    lines = [f'<cell id="{cell_name(place, cell)}" type="{kind}">', joined(cell.get("source"))]
    printed = "\n".join(text for text in _printed(cell) if text.strip())
    if printed:
        lines += ["<output>", _cut(printed), "</output>"]
    return "\n".join([*lines, "</cell>"])


def _printed(cell: JsonObject) -> Iterator[str]:
    for output in _outputs(cell):
        shown = output.get("data")
        if output.get("output_type") == "error":
            yield f"{output.get('ename')}: {output.get('evalue')}"
        elif isinstance(shown, dict):
            yield joined(shown.get("text/plain"))
        else:
            yield joined(output.get("text"))


def _pictures(cell: JsonObject) -> Iterator[Attachment]:
    for output in _outputs(cell):
        shown = output.get("data")
        for kind in PICTURES if isinstance(shown, dict) else ():
            content = joined(shown.get(kind)).replace("\n", "") if isinstance(shown, dict) else ""
            if content:
                yield attachment(f"output.{kind.removeprefix('image/')}", kind, content)


def _outputs(cell: JsonObject) -> list[JsonObject]:
    outputs = cell.get("outputs")
    if not isinstance(outputs, list):
        return []
    return [output for output in outputs if isinstance(output, dict)]


def _cut(text: str) -> str:
    if len(text) <= LONGEST_OUTPUT:
        return text
    return f"{text[:LONGEST_OUTPUT]}\n({len(text) - LONGEST_OUTPUT} more characters)"


WITH_IDS: Final = (4, 5)
OF_CODE: Final = ("execution_count", "outputs")
DONE: Final = {"replace": "Updated", "insert": "Inserted a cell after", "delete": "Deleted"}


class NotebookEdit(Changing):
    """One cell."""

    says: ClassVar[str] = (
        "Replace, insert or delete one cell of a Jupyter notebook that you have read."
    )
    notebook_path: Annotated[str, Field(description="The notebook, as an absolute path.")]
    new_source: Annotated[str, Field(description="What the cell is to hold.")] = ""
    cell_id: Annotated[
        str, Field(description="The cell, by its id; the one to insert after, none for the start.")
    ] = ""
    cell_type: Annotated[
        Literal["code", "markdown"] | None, Field(description="Its kind; for insert.")
    ] = None
    edit_mode: Annotated[
        Literal["replace", "insert", "delete"], Field(description="What to do with the cell.")
    ] = "replace"

    def path(self, at: Workplace) -> Path:
        """The notebook."""
        return at.path(self.notebook_path)

    def change(self, at: Workplace) -> Change:
        """The notebook with the cell changed."""
        path = self.path(at)
        if not path.exists():
            raise NotRun("Error: notebook does not exist.")
        notebook = notebook_in(path)
        return Change(path, notebook.file, notebook.written(self._cells(notebook)))

    async def carried_out(self, call: Call) -> ToolOutput:
        """Edits it."""
        files, path = call.at.files, self.path(call.at)
        async with call.at.locks.of(path):
            if path.exists():
                files.require_fresh(path)
            await asyncio.to_thread(self.make, call.at)
        cell = self.cell_id or "the start"
        return said(f"{DONE[self.edit_mode]} {cell} in {self.notebook_path}.\n{self.new_source}")

    def _cells(self, notebook: Notebook) -> list[JsonObject]:
        cells = list(notebook.cells)
        if self.edit_mode == "insert":
            place = self._place(cells) + 1 if self.cell_id else 0
            return [*cells[:place], self._new_cell(notebook), *cells[place:]]
        place = self._place(cells)
        changed = [] if self.edit_mode == "delete" else [self._changed(cells[place])]
        return [*cells[:place], *changed, *cells[place + 1 :]]

    def _place(self, cells: list[JsonObject]) -> int:
        names = [cell_name(place, cell) for place, cell in enumerate(cells)]
        if self.cell_id not in names:
            known = ", ".join(names) or "none"
            raise NotRun(f"Error: there is no cell {self.cell_id!r:.80}; there are: {known:.1000}")
        return names.index(self.cell_id)

    def _changed(self, cell: JsonObject) -> JsonObject:
        kind = self.cell_type or cell.get("cell_type")
        changed: JsonObject = {**cell, "cell_type": kind, "source": _lines(self.new_source)}
        if kind == "code":
            # What it printed is not what it would print now.
            return {**changed, "execution_count": None, "outputs": []}
        return {name: value for name, value in changed.items() if name not in OF_CODE}

    def _new_cell(self, notebook: Notebook) -> JsonObject:
        cell: JsonObject = {"cell_type": self.cell_type or "code"}
        if notebook.version >= WITH_IDS:
            cell["id"] = secrets.token_hex(4)
        return self._changed({**cell, "metadata": {}})


def _lines(source: str) -> list[JsonValue]:
    return [*source.splitlines(keepends=True)]
