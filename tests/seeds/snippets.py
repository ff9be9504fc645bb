"""The Python in other people's pages, each piece with what its page shows above it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VARIABLE: Final = "MINI_AGENT_SEEDS"
FENCED: Final = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
NOTHING: Final = f"{VARIABLE} names no folder of pages, so no page's Python is run"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of Python as printed; `above` is the page's earlier Python, which it may build on."""

    page: str
    line: int
    code: str
    above: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def program(self) -> str:
        """The page's Python down to the end of this piece, nothing changed and nothing left out."""
        return self.above + self.code


def named_folder() -> Path | None:
    """The folder that the environment names; a wrong name is an error, not an empty folder."""
    named = os.environ.get(VARIABLE, "")
    if named and not Path(named).is_dir():
        raise NotADirectoryError(f"{VARIABLE}={named} is no folder")
    return Path(named) if named else None


def snippets_in(folder: Path) -> list[Snippet]:
    """The Python of every page of `folder`, in order."""
    pages = sorted(path for path in folder.iterdir() if path.suffix in (".md", ".txt"))
    return [snippet for page in pages for snippet in _on(page)]


def _on(page: Path) -> Iterator[Snippet]:
    text, above = page.read_text(), ""
    for found in FENCED.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Snippet(page.name, line, found.group(1), above)
        above += found.group(1)
