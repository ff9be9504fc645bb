"""The tool Read: numbered lines of text files, images, notebooks, and the text of PDFs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field, WithJsonSchema

from mini_agent.agent.context_window import ASCII_CHARS_PER_TOKEN, estimate_tokens_for_size
from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, shorten, text_output
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.media import is_image, is_pdf, read_image, read_pdf_page
from mini_agent.coding.tools.notebook import read_notebook
from mini_agent.coding.tools.paging import MAX_LINE_BYTES, FilePage, Pager
from mini_agent.coding.tools.text_file import require_regular
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

CONTEXT_LINES: Final = 4
# Of what Write and Edit show of a file.
MAX_EXCERPT_CHARS: Final = 30_000
MAX_EXCERPT_LINE_CHARS: Final = 2_000
DEFAULT_LINES: Final = 2000
MAX_BYTES: Final = 256 * 1024
MAX_TOKENS: Final = 24_000
MAX_PAGE_BYTES: Final = round(MAX_TOKENS * ASCII_CHARS_PER_TOKEN)
MALWARE_REMINDER: Final = (
    "<system-reminder>If the file looks malicious, then don't edit it.</system-reminder>\n"
)
PAGING_HINT: Final = (
    "Instead read snippets of the file with offset/limit parameters, or search using the Grep tool."
)
Lines = Annotated[int, WithJsonSchema({"type": "number"})]


def number_lines(lines: Iterable[str], first: int = 1) -> str:
    """Return the lines, each behind its number, five columns wide, and an arrow."""
    return "".join(f"{number:5}→{line}\n" for number, line in enumerate(lines, first))


def split_lines(text: str) -> list[str]:
    """Return the lines of a text; only a line feed ends one."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Numbered lines of a file, and a remark where they were cut."""

    text: str
    remark: str = ""


def number_excerpt(text: str, first: int, count: int) -> Excerpt:
    """Return `count` numbered lines from the line `first`, with some lines around them."""
    start = max(1, first - CONTEXT_LINES)
    return number_bounded(split_lines(text)[start - 1 : first - 1 + count + CONTEXT_LINES], start)


def number_bounded(lines: Sequence[str], first: int = 1) -> Excerpt:
    """Return the numbered lines up to a bound of lines and characters."""
    numbered, length = list[str](), 0
    for number, line in enumerate(lines[:DEFAULT_LINES], first):
        numbered.append(number_lines([shorten(line, MAX_EXCERPT_LINE_CHARS)], number))
        length += len(numbered[-1])
        if length > MAX_EXCERPT_CHARS:
            break
    if len(numbered) == len(lines):
        return Excerpt("".join(numbered))
    end = first + len(numbered) - 1
    left = len(lines) - len(numbered)
    return Excerpt(
        "".join(numbered),
        f"only lines {first} to {end} are shown; Read with offset {end + 1} shows the other {left}",
    )


class Read(CodingTool):
    """Read a text file, a PDF's text, an image or a notebook."""

    tool_description: ClassVar[str] = (
        "Read a file. Text comes with line numbers, at most 2000 lines from the line offset; "
        "pictures (PNG, JPEG, GIF, WebP) come as pictures, notebooks (.ipynb) with their outputs "
        "(offset and limit are of cells), of a PDF the text."
    )
    is_read_only: ClassVar[bool] = True
    file_path: Annotated[str, Field(description="The file, as an absolute path.")]
    offset: Annotated[Lines, Field(ge=0, description="The line to begin with, from 1.")] = 1
    limit: Annotated[Lines, Field(ge=0, description="How many lines.")] = DEFAULT_LINES

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the file."""
        return (context.path(self.file_path),)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Read the file, and mark it as seen, so that it may be edited."""
        path = invocation.context.path(self.file_path)
        if not path.exists():
            raise RejectedCall(_missing_message(path))
        if path.is_dir():
            raise RejectedCall(f"Error reading file: {path} is a folder. Use the LS tool for it.")
        require_regular(path)
        if is_image(path):
            return await asyncio.to_thread(read_image, path)
        if path.suffix == ".ipynb":
            status = path.stat()
            output = await asyncio.to_thread(read_notebook, path, max(1, self.offset), self.limit)
            invocation.context.files.mark_seen(path, status)
            return output
        pager = Pager(max(1, self.offset), self.limit, MAX_PAGE_BYTES)
        if is_pdf(path):
            page = await read_pdf_page(path, pager, invocation.context.environment)
            self._require_small(page)
            return text_output("".join(self._format(page)))
        page = await asyncio.to_thread(pager.read_page, path)
        self._require_small(page)
        invocation.context.files.mark_seen(path, page.status)
        return text_output("".join(self._format(page)))

    @property
    def _is_whole(self) -> bool:
        return not {"offset", "limit"} & self.model_fields_set

    def _require_small(self, page: FilePage) -> None:
        size = page.status.st_size
        if self._is_whole and size > MAX_BYTES:
            raise RejectedCall(
                f"File content ({size / (1 << 20):.1f}MB) exceeds maximum allowed size (256KB).\n"
                + PAGING_HINT
            )
        tokens = estimate_tokens_for_size(sum(len(line.encode()) + 1 for line in page.lines))
        if tokens > MAX_TOKENS:
            estimate = estimate_tokens_for_size(size) if self._is_whole else tokens
            raise RejectedCall(
                f"File content ({estimate} tokens) exceeds maximum allowed tokens "
                f"({MAX_TOKENS} tokens).\n{PAGING_HINT}"
            )

    def _format(self, page: FilePage) -> Iterator[str]:
        first = max(1, self.offset)
        if not page.lines and not page.has_more:
            yield (
                f"<system-reminder>Warning: the file only has {page.end_line} lines,\n"
                f"so there's nothing after your specified offset {first}.</system-reminder>\n"
            )
            return
        if page.lines:
            yield number_lines(page.lines, first)
            yield "\n"
        yield MALWARE_REMINDER
        if page.has_more:
            yield (
                f"<system-reminder>The file goes on after line {page.end_line}; read on with "
                f"offset {page.end_line + 1}.</system-reminder>\n"
            )
        cut = [str(place) for place, line in enumerate(page.lines, first) if _is_cut(line)]
        if cut:
            yield (
                f"<system-reminder>Too long to be shown whole: line {', '.join(cut)}."
                "</system-reminder>\n"
            )


def _missing_message(path: Path) -> str:
    similar = [each.name for each in _siblings(path) if each.stem == path.stem and each != path]
    suggestion = f" Did you mean {min(similar)}?" if similar else ""
    return f"<tool_use_error>File does not exist.{suggestion}</tool_use_error>"


def _siblings(path: Path) -> list[Path]:
    try:
        return list(path.parent.iterdir())
    except OSError:
        return []


def _is_cut(line: str) -> bool:
    return len(line.encode()) > MAX_LINE_BYTES - 5
