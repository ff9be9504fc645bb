"""Jupyter notebooks: their cells as text for Read, and the tool NotebookEdit."""

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

from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.coding_tool import (
    FileEditTool,
    Invocation,
    shorten,
    text_output,
)
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.grep_lines import describe_page
from mini_agent.coding.tools.media import add_attachments, image_attachment
from mini_agent.coding.tools.text_file import TextFile, read_text_file
from mini_agent.messages import Attachment, JsonObject, parse_json_object
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

MAX_CHARS: Final = 96_000
MAX_CELLS: Final = 2_000
MAX_OUTPUT_CHARS: Final = 10_000
MAX_IMAGES: Final = 20
IMAGE_TYPES: Final = ("image/png", "image/jpeg")
INDENT: Final = re.compile(r"\{\n([ \t]*)\"")
ESCAPED_CHARACTER: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
MAX_SHOWN_SOURCE_CHARS: Final = 10_000
CELL_IDS_SINCE: Final = (4, 5)
CODE_CELL_KEYS: Final = ("execution_count", "outputs")
EDIT_VERBS: Final = {"replace": "Updated", "insert": "Inserted a cell after", "delete": "Deleted"}


@dataclass(frozen=True, slots=True)
class Notebook:
    """A parsed notebook, and the text file it was read from."""

    file: TextFile
    content: JsonObject
    cells: list[JsonObject]

    @property
    def version(self) -> tuple[int, int]:
        """Return the version of the notebook format, as (major, minor)."""
        major, minor = self.content.get("nbformat"), self.content.get("nbformat_minor")
        return (
            major if isinstance(major, int) else 4,
            minor if isinstance(minor, int) else 0,
        )

    def with_cells(self, cells: list[JsonObject]) -> TextFile:
        """Return the file with these cells, written as it was: indent, blanks, escapes, end."""
        written = self.file.normalized
        style = JsonStyle.detect(written)
        text = style.dump({**self.content, "cells": [*cells]})
        text += written[len(written.rstrip()) :]
        return self.file.with_text(text.replace("\n", "\r\n") if self.file.has_crlf else text)


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How a JSON text is laid out; an `indent` of None is a text of one line."""

    indent: str | None
    separators: tuple[str, str]
    is_ascii: bool

    @classmethod
    def detect(cls, text: str) -> JsonStyle:
        """Return the style of a text."""
        match = INDENT.search(text)
        is_ascii = text.isascii() and ESCAPED_CHARACTER.search(text) is not None
        colon = ": " if re.search(r'"cells": ', text) else ":"
        if match:
            return cls(match[1], (",", colon), is_ascii)
        one_line = text.strip()
        comma = ", " if re.search(r'[\]}"\d], "', one_line) else ","
        return cls(None, (comma, colon), is_ascii)

    def dump(self, value: JsonObject) -> str:
        """Return the value as text."""
        return json.dumps(
            value, ensure_ascii=self.is_ascii, indent=self.indent, separators=self.separators
        )


def load_notebook(path: Path) -> Notebook:
    """Parse the file; raise `RejectedCall` if it is no notebook."""
    file = read_text_file(path)
    try:
        content = parse_json_object(file.text)
    except ValueError as error:
        raise RejectedCall(f"Error: {path} is not a notebook: {error}") from None
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise RejectedCall(f"Error: {path} is not a notebook: it has no cells.")
    return Notebook(file, content, [cell for cell in cells if isinstance(cell, dict)])


def read_notebook(path: Path, first: int = 1, limit: int = MAX_CELLS) -> ToolOutput:
    """Return up to `limit` cells with their outputs from the cell `first`, counted from 1."""
    cells = load_notebook(path).cells
    shown, length = list[str](), 0
    for index, cell in enumerate(cells[first - 1 : first - 1 + limit], first - 1):
        text = shorten(_format_cell(index, cell), MAX_CHARS)
        length += len(text)
        if shown and length > MAX_CHARS:
            break
        shown.append(text)
    end = first - 1 + len(shown)
    read = cells[first - 1 : end]
    images = tuple(each for cell in read for each in _cell_images(cell))
    remark = describe_page(first - 1, len(shown), len(cells), "cells", from_one=True)
    if len(images) > MAX_IMAGES:
        remark = "; ".join(filter(None, (remark, f"{len(images) - MAX_IMAGES} more pictures")))
    return add_attachments(text_output("\n".join(shown), remark), images[:MAX_IMAGES])


def cell_name(index: int, cell: JsonObject) -> str:
    """Return the id of a cell, or `cell-<index>` in notebooks that have no ids."""
    own = cell.get("id")
    return own if isinstance(own, str) and own else f"cell-{index}"


def join_lines(text: JsonValue) -> str:
    """Return a text that the notebook may hold as a list of lines."""
    if isinstance(text, list):
        return "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""


class NotebookEdit(FileEditTool):
    """Replace, insert or delete one cell."""

    tool_description: ClassVar[str] = (
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

    def path(self, context: ToolContext) -> Path:
        """Return the notebook."""
        return context.path(self.notebook_path)

    def propose_change(self, context: ToolContext) -> Change:
        """Return the notebook with the cell changed."""
        path = self.path(context)
        if not path.exists():
            raise RejectedCall("Error: notebook does not exist.")
        notebook = load_notebook(path)
        return Change(path, notebook.file, notebook.with_cells(self._edit_cells(notebook)))

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Edit the notebook."""
        files, path = invocation.context.files, self.path(invocation.context)
        async with invocation.context.locks.for_file(path):
            if path.exists():
                files.require_unchanged(path)
            await asyncio.to_thread(self.apply, invocation.context)
        cell = self.cell_id or "the start"
        return text_output(
            f"{EDIT_VERBS[self.edit_mode]} {cell} in {self.notebook_path}.\n"
            + shorten(self.new_source, MAX_SHOWN_SOURCE_CHARS)
        )

    def _edit_cells(self, notebook: Notebook) -> list[JsonObject]:
        cells = list(notebook.cells)
        if self.edit_mode == "insert":
            index = self._find_cell(cells) + 1 if self.cell_id else 0
            return [*cells[:index], self._new_cell(notebook), *cells[index:]]
        index = self._find_cell(cells)
        changed = [] if self.edit_mode == "delete" else [self._edit_cell(cells[index])]
        return [*cells[:index], *changed, *cells[index + 1 :]]

    def _find_cell(self, cells: list[JsonObject]) -> int:
        names = [cell_name(index, cell) for index, cell in enumerate(cells)]
        if self.cell_id not in names:
            known = ", ".join(names) or "none"
            raise RejectedCall(
                f"Error: there is no cell {self.cell_id!r:.80}; there are: {known:.1000}"
            )
        return names.index(self.cell_id)

    def _edit_cell(self, cell: JsonObject) -> JsonObject:
        kind = self.cell_type or cell.get("cell_type")
        changed: JsonObject = {**cell, "cell_type": kind, "source": _split_lines(self.new_source)}
        if kind == "code":
            # The outputs are those of the old source.
            return {**changed, "execution_count": None, "outputs": []}
        return {name: value for name, value in changed.items() if name not in CODE_CELL_KEYS}

    def _new_cell(self, notebook: Notebook) -> JsonObject:
        cell: JsonObject = {"cell_type": self.cell_type or "code"}
        if notebook.version >= CELL_IDS_SINCE:
            cell["id"] = secrets.token_hex(4)
        return self._edit_cell({**cell, "metadata": {}})


def _format_cell(index: int, cell: JsonObject) -> str:
    kind = cell.get("cell_type")
    lines = [f'<cell id="{cell_name(index, cell)}" type="{kind}">', join_lines(cell.get("source"))]
    printed = "\n".join(text for text in _cell_texts(cell) if text.strip())
    if printed:
        lines += ["<output>", _truncate(printed), "</output>"]
    return "\n".join([*lines, "</cell>"])


def _cell_texts(cell: JsonObject) -> Iterator[str]:
    for output in _outputs(cell):
        shown = output.get("data")
        if output.get("output_type") == "error":
            yield f"{output.get('ename')}: {output.get('evalue')}"
        elif isinstance(shown, dict):
            yield join_lines(shown.get("text/plain"))
        else:
            yield join_lines(output.get("text"))


def _outputs(cell: JsonObject) -> list[JsonObject]:
    outputs = cell.get("outputs")
    if not isinstance(outputs, list):
        return []
    return [output for output in outputs if isinstance(output, dict)]


def _truncate(text: str) -> str:
    if len(text) <= MAX_OUTPUT_CHARS:
        return text
    return f"{text[:MAX_OUTPUT_CHARS]}\n({len(text) - MAX_OUTPUT_CHARS} more characters)"


def _cell_images(cell: JsonObject) -> Iterator[Attachment]:
    for output in _outputs(cell):
        shown = output.get("data")
        for kind in IMAGE_TYPES if isinstance(shown, dict) else ():
            content = (
                join_lines(shown.get(kind)).replace("\n", "") if isinstance(shown, dict) else ""
            )
            if content:
                yield image_attachment(f"output.{kind.removeprefix('image/')}", kind, content)


def _split_lines(source: str) -> list[JsonValue]:
    return [*source.splitlines(keepends=True)]
