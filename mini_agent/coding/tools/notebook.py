"""Jupyter notebooks: their cells as text, and the file with one cell changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from mini_agent.attachment import Attachment
from mini_agent.coding.tools.base import said
from mini_agent.coding.tools.picture import attachment, with_attachments
from mini_agent.coding.tools.text_file import TextFile, read_text_file
from mini_agent.messages import JsonObject, json_object
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
