"""The tool Grep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, WithJsonSchema

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import compile_globs
from mini_agent.coding.tools.ripgrep import (
    NOT_INSTALLED,
    find_ripgrep,
    format_reminder,
    run_ripgrep,
)
from mini_agent.coding.tools.text_file import real_path, require_regular
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

OUTPUT_MODE_OPTIONS: Final = {
    "files_with_matches": ("--files-with-matches",),
    "count": ("--count", "--with-filename"),
}
MAX_CHARS: Final = 40_000
MAX_COLUMNS: Final = 500
TRUNCATED: Final = (
    "(Results are truncated after {count} lines. Use a more specific path or pattern.)\n"
)
Count = Annotated[int, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]


class Grep(CodingTool):
    """Search the contents of files."""

    tool_description: ClassVar[str] = (
        "Search the contents of files with a regular expression, as ripgrep does: fast, without "
        "hidden files and those that .gitignore names. output_mode: files_with_matches (paths), "
        "content (lines, with -A, -B, -C, -n) or count."
    )
    is_read_only: ClassVar[bool] = True
    pattern: Annotated[str, Field(description="A regular expression in Rust's syntax.")]
    path: Annotated[str, Field(description="A file or folder; else where the shell is.")] = ""
    glob: Annotated[str, Field(description="Only files like this: *.js, *.{ts,tsx}.")] = ""
    type: Annotated[str, Field(description="Only files of a type: py, rust, js.")] = ""
    output_mode: Annotated[
        Literal["content", "files_with_matches", "count"], Field(description="What to show.")
    ] = "files_with_matches"
    before: Annotated[Count, Field(alias="-B", description="Lines before each match.")] = 0
    after: Annotated[Count, Field(alias="-A", description="Lines after each match.")] = 0
    around: Annotated[Count, Field(alias="-C", description="Lines on both sides.")] = 0
    with_numbers: Annotated[bool, Field(alias="-n", description="Line numbers.")] = False
    any_case: Annotated[bool, Field(alias="-i", description="Small and capital letters alike.")] = (
        False
    )
    multiline: Annotated[bool, Field(description="A match may go over lines, and . too.")] = False
    head_limit: Annotated[Count | None, Field(description="Only so many lines or paths.")] = None

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the file or folder that is searched."""
        return (context.path(self.path) if self.path else context.cwd,)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Search with ripgrep, and format the matches."""
        rg = find_ripgrep(invocation.context.environment)
        if rg is None:
            raise RejectedCall(NOT_INSTALLED)
        (target,) = self.paths(invocation.context)
        if not target.exists():
            raise RejectedCall(f"Error: there is no {target}.")
        if not target.is_dir():
            require_regular(target)
        # The excluded globs are of real paths.
        target = real_path(target)
        folder = target if target.is_dir() else target.parent
        options = [*self._options(invocation.context), "--", str(target)]
        if any("\0" in option for option in options):
            raise RejectedCall(
                r"Error: an argument holds a NUL character; in a pattern write \x00."
            )
        result = await run_ripgrep(rg, options, folder)
        lines = result.output.decode("utf-8", "replace").split("\n")[:-1]
        if invocation.context.excluded:
            lines = [*self._visible(lines, compile_globs(invocation.context.excluded))]
        return text_output("".join(self._format(lines)) + format_reminder(result.remark))

    def _options(self, context: ToolContext) -> Iterator[str]:
        yield f"--regexp={self.pattern}"
        yield from OUTPUT_MODE_OPTIONS.get(self.output_mode, ())
        if self.output_mode == "content":
            yield from self._content_options()
            # The NUL marks the end of the path.
            yield from ("--null",) if context.excluded else ()
        if self.any_case:
            yield "--ignore-case"
        if self.multiline:
            yield from ("--multiline", "--multiline-dotall")
        if self.glob:
            yield f"--glob={self.glob}"
        elif self.type:
            yield f"--type={self.type}"

    def _content_options(self) -> Iterator[str]:
        yield from ("--no-heading", "--with-filename")
        yield "--line-number" if self.with_numbers else "--no-line-number"
        yield from (f"--max-columns={MAX_COLUMNS}", "--max-columns-preview")
        if self.around:
            yield f"--context={self.around}"
        else:
            yield from (f"--after-context={self.after}", f"--before-context={self.before}")

    def _visible(self, lines: list[str], excluded: re.Pattern[str]) -> Iterator[str]:
        for line in lines:
            path, nul, rest = line.partition("\0")
            if self.output_mode == "count":
                path = line.rpartition(":")[0]
            if not excluded.fullmatch(path):
                yield f"{path}:{rest}" if nul else line

    def _format(self, lines: list[str]) -> Iterator[str]:
        if self.output_mode != "content":
            lines.sort()
        shown = lines if self.head_limit is None else lines[: self.head_limit]
        if not lines:
            yield "No matches found\n" if self.output_mode == "content" else "No files found\n"
            return
        if self.output_mode == "files_with_matches":
            yield f"Found {len(shown)} file{'' if len(shown) == 1 else 's'}\n"
        yield _truncate(shown)
        if self.output_mode == "count":
            total = sum(int(line.rpartition(":")[2]) for line in shown)
            yield f"\nFound {total} total occurrences across {len(shown)} files.\n"


def _truncate(lines: list[str]) -> str:
    length = 0
    for count, line in enumerate(lines):
        length += len(line) + 1
        if length > MAX_CHARS:
            return "".join(f"{line}\n" for line in lines[:count]) + TRUNCATED.format(count=count)
    return "".join(f"{line}\n" for line in lines)
