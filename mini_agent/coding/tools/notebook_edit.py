"""The tool NotebookEdit."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, JsonValue

from mini_agent.coding.tools.base import Call, Changing, said
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.notebook import Notebook, cell_name, notebook_in
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput

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
