"""The tool Read.

Lines with their numbers, as the model gets to read files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field, WithJsonSchema

from mini_agent.agent.context_window import ASCII_CHARS_PER_TOKEN, tokens_of_bytes
from mini_agent.coding.tools.base import Asked, Call, said
from mini_agent.coding.tools.media import is_pdf, is_picture, pdf_part, read_picture
from mini_agent.coding.tools.notebook import read_notebook
from mini_agent.coding.tools.paging import LONGEST_LINE, Pager, Part
from mini_agent.coding.tools.text_file import require_regular
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput

AROUND: Final = 4


def numbered(lines: Iterable[str], first: int = 1) -> str:
    """The number right-aligned in five places, an arrow, the line."""
    return "".join(f"{number:5}→{line}\n" for number, line in enumerate(lines, first))


def lines_of(text: str) -> list[str]:
    """The lines of a text; only a line feed ends one."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def surroundings(text: str, first: int, count: int) -> str:
    """`count` lines from the line `first` on, with those around them."""
    start = max(1, first - AROUND)
    return numbered(lines_of(text)[start - 1 : first - 1 + count + AROUND], start)


USUAL_LINES: Final = 2000
MOST_BYTES: Final = 256 * 1024
MOST_TOKENS: Final = 24_000
MOST_PART_BYTES: Final = round(MOST_TOKENS * ASCII_CHARS_PER_TOKEN)
SUSPECT: Final = (
    "<system-reminder>If the file looks malicious, then don't edit it.</system-reminder>\n"
)
INSTEAD: Final = (
    "Instead read snippets of the file with offset/limit parameters, or search using the Grep tool."
)
Lines = Annotated[int, WithJsonSchema({"type": "number"})]


class Read(Asked):
    """Lines of a file or of a PDF's text, a picture, or a notebook."""

    says: ClassVar[str] = (
        "Read a file. Text comes with line numbers, at most 2000 lines from the line offset; "
        "pictures (PNG, JPEG, GIF, WebP) come as pictures, notebooks (.ipynb) with their outputs, "
        "of a PDF the text."
    )
    only_reads: ClassVar[bool] = True
    file_path: Annotated[str, Field(description="The file, as an absolute path.")]
    offset: Annotated[Lines, Field(ge=0, description="The line to begin with, from 1.")] = 1
    limit: Annotated[Lines, Field(ge=0, description="How many lines.")] = USUAL_LINES

    def paths(self, at: Workplace) -> tuple[Path, ...]:
        """The file."""
        return (at.path(self.file_path),)

    async def carried_out(self, call: Call) -> ToolOutput:
        """Reads it; the model may edit it from now on."""
        path = call.at.path(self.file_path)
        if not path.exists():
            raise NotRun(_missing(path))
        require_regular(path)
        if is_picture(path):
            return await asyncio.to_thread(read_picture, path)
        if path.suffix == ".ipynb":
            status = path.stat()
            output = await asyncio.to_thread(read_notebook, path)
            call.at.files.saw(path, status)
            return output
        pager = Pager(max(1, self.offset), self.limit, MOST_PART_BYTES)
        if is_pdf(path):
            part = await pdf_part(path, pager, call.at.environment)
            self._require_small(part)
            return said("".join(self._told(part)))
        part = await asyncio.to_thread(pager.part, path)
        self._require_small(part)
        call.at.files.saw(path, part.status)
        return said("".join(self._told(part)))

    @property
    def _is_whole(self) -> bool:
        return not {"offset", "limit"} & self.model_fields_set

    def _require_small(self, part: Part) -> None:
        size = part.status.st_size
        if self._is_whole and size > MOST_BYTES:
            raise NotRun(
                f"File content ({size / (1 << 20):.1f}MB) exceeds maximum allowed size (256KB).\n"
                + INSTEAD
            )
        tokens = tokens_of_bytes(sum(len(line.encode()) + 1 for line in part.lines))
        if tokens > MOST_TOKENS:
            about = tokens_of_bytes(size) if self._is_whole else tokens
            raise NotRun(
                f"File content ({about} tokens) exceeds maximum allowed tokens "
                f"({MOST_TOKENS} tokens).\n{INSTEAD}"
            )

    def _told(self, part: Part) -> Iterator[str]:
        first = max(1, self.offset)
        if not part.lines and not part.has_more:
            yield (
                f"<system-reminder>Warning: the file only has {part.passed} lines,\n"
                f"so there's nothing after your specified offset {first}.</system-reminder>\n"
            )
            return
        if part.lines:
            yield numbered(part.lines, first)
            yield "\n"
        yield SUSPECT
        if part.has_more:
            yield (
                f"<system-reminder>The file goes on after line {part.passed}; read on with "
                f"offset {part.passed + 1}.</system-reminder>\n"
            )
        cut = [str(place) for place, line in enumerate(part.lines, first) if _is_cut(line)]
        if cut:
            yield (
                f"<system-reminder>Too long to be shown whole: line {', '.join(cut)}."
                "</system-reminder>\n"
            )


def _is_cut(line: str) -> bool:
    return len(line.encode()) > LONGEST_LINE - 5


def _missing(path: Path) -> str:
    near = [each.name for each in _beside(path) if each.stem == path.stem and each != path]
    meant = f" Did you mean {min(near)}?" if near else ""
    return f"<tool_use_error>File does not exist.{meant}</tool_use_error>"


def _beside(path: Path) -> list[Path]:
    try:
        return list(path.parent.iterdir())
    except OSError:
        return []
