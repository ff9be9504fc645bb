"""The tool Grep: by ripgrep, or by our own search where ripgrep is not installed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.content_search import (
    ContentSearch,
    Count,
    OutputMode,
)
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import compile_globs
from mini_agent.coding.tools.grep_lines import LineFormat, Page, take_page
from mini_agent.coding.tools.ripgrep import (
    TIMEOUT_S,
    RipgrepResult,
    find_ripgrep,
    run_ripgrep,
)
from mini_agent.coding.tools.text_file import real_path, require_regular
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

# What ripgrep says of a pattern that only PCRE2 has.
NEEDS_PCRE2: Final = re.compile(r"look-around|backreferences are not supported")
NO_PCRE2: Final = re.compile(r"PCRE2 is not available")
NEEDS_MULTILINE: Final = "--multiline flag"
PROBE_TIMEOUT_S: Final = 2.0
PCRE2_REMARK: Final = "look-around and backreferences were matched by PCRE2"
EMPTY: Final = {
    "content": "No matches found\n",
    "files_with_matches": "No files found\n",
    "count": "\nFound 0 total occurrences across 0 files.\n",
}


Flag = Annotated[bool, Field(strict=True)]


class Grep(CodingTool):
    """Search the contents of files."""

    tool_description: ClassVar[str] = (
        "Search the contents of files with a regular expression, as ripgrep does: fast, without "
        "hidden files and those that .gitignore names. output_mode: files_with_matches (paths), "
        "content (lines, with -A, -B, -C, -n) or count. A file given as path is searched always."
    )
    is_read_only: ClassVar[bool] = True
    pattern: Annotated[str, Field(description="A regular expression in Rust's syntax.")]
    path: Annotated[str, Field(description="A file or folder; else where the shell is.")] = ""
    glob: Annotated[str, Field(description="Only files like this: *.js, *.{ts,tsx}.")] = ""
    type: Annotated[str, Field(description="Only files of a type: py, rust, js.")] = ""
    output_mode: Annotated[OutputMode, Field(description="What to show.")] = "files_with_matches"
    before: Annotated[Count, Field(alias="-B", description="Lines before each match.")] = 0
    after: Annotated[Count, Field(alias="-A", description="Lines after each match.")] = 0
    around: Annotated[Count, Field(alias="-C", description="Lines on both sides.")] = 0
    with_numbers: Annotated[Flag, Field(alias="-n", description="Line numbers.")] = False
    any_case: Annotated[Flag, Field(alias="-i", description="Small and capital letters alike.")] = (
        False
    )
    multiline: Annotated[Flag, Field(description="A match may go over lines, and . too.")] = False
    head_limit: Annotated[Count, Field(description="Only so many lines or paths; 0 for all.")] = 0
    offset: Annotated[Count, Field(description="Lines or paths to leave out first.")] = 0

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the file or folder that is searched."""
        return (context.path(self.path) if self.path else context.cwd,)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Search, and format the matches."""
        search = self._search(invocation.context)
        result = await _run_search(search, invocation.context)
        excluded = compile_globs(invocation.context.excluded)
        found = self._found(search, result.output, excluded)
        unit = "lines" if self.output_mode == "content" else "files"
        page = take_page(found, self.offset, self.head_limit, unit)
        remarks = [result.remark, page.remark]
        if not found and search.target.is_dir():
            remarks.append(await _find_unsearched(search, invocation.context, excluded))
        text = self._format(page) if page.lines or not found else f"No more {unit}\n"
        return text_output(text, "; ".join(filter(None, remarks)))

    def _search(self, context: ToolContext) -> ContentSearch:
        if any("\0" in text for text in (self.pattern, self.glob, self.type)):
            raise RejectedCall(
                r"Error: an argument holds a NUL character; in a pattern write \x00."
            )
        (target,) = self.paths(context)
        if not target.exists():
            raise RejectedCall(f"Error: there is no {target}.")
        if not target.is_dir():
            require_regular(target)
        return ContentSearch(
            pattern=self.pattern,
            # The excluded globs are of real paths.
            target=real_path(target),
            mode=self.output_mode,
            glob=self.glob,
            file_type=self.type,
            before=self.around or self.before,
            after=self.around or self.after,
            ignores_case=self.any_case,
            is_multiline=self.multiline,
        )

    def _found(self, search: ContentSearch, output: bytes, excluded: re.Pattern[str]) -> list[str]:
        is_file = not search.target.is_dir()
        if self.output_mode == "content":
            has_context = bool(search.before or search.after)
            return LineFormat(not is_file, self.with_numbers, has_context).format(output, excluded)
        if self.output_mode == "files_with_matches":
            return _visible_files(output, excluded)
        # With --crlf, ripgrep ends its own lines like that.
        lines = output.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")[:-1]
        counts = sorted(tuple(line.split("\0", 1)) for line in lines)
        visible = (each for each in counts if not excluded.fullmatch(each[0]))
        return [each[-1] if is_file else ":".join(each) for each in visible]

    def _format(self, page: Page) -> str:
        if not page.lines:
            return EMPTY[self.output_mode]
        listed = "".join(f"{line}\n" for line in page.lines)
        count = len(page.lines)
        if self.output_mode == "files_with_matches":
            return f"Found {count} file{'' if count == 1 else 's'}\n{listed}"
        if self.output_mode == "count":
            total = sum(int(line.rpartition(":")[2]) for line in page.lines)
            return f"{listed}\nFound {total} total occurrences across {count} files.\n"
        return listed


async def _run_search(
    search: ContentSearch, context: ToolContext, timeout_s: float = TIMEOUT_S
) -> RipgrepResult:
    rg = find_ripgrep(context.environment)
    if rg is None:
        return await _search_without_ripgrep(search, timeout_s)
    options = [*search.ripgrep_options()]
    try:
        return await run_ripgrep(rg, options, search.folder, timeout_s)
    except RejectedCall as error:
        if not NEEDS_PCRE2.search(str(error)):
            hint = "\nSet multiline to true for that." if NEEDS_MULTILINE in str(error) else ""
            raise RejectedCall(f"{error}{hint}") from None
    try:
        result = await run_ripgrep(rg, ["--pcre2", *options], search.folder, timeout_s)
    except RejectedCall as error:
        if not NO_PCRE2.search(str(error)):
            raise
        return await _search_without_ripgrep(search, timeout_s)
    return replace(result, remark="; ".join(filter(None, (PCRE2_REMARK, result.remark))))


async def _search_without_ripgrep(search: ContentSearch, timeout_s: float) -> RipgrepResult:
    # `regex` and `pathspec` are imported where they are needed.
    from mini_agent.coding.tools.python_search import search_files

    return await search_files(search, timeout_s)


async def _find_unsearched(
    search: ContentSearch, context: ToolContext, excluded: re.Pattern[str]
) -> str:
    """Return a remark on matches in files that are hidden, ignored or binary, if there are any."""
    probe = replace(search, mode="files_with_matches", searches_all=True)
    result = await _run_search(probe, context, PROBE_TIMEOUT_S)
    files = _visible_files(result.output, excluded)
    if not files:
        return ""
    return (
        "files that are hidden, binary or named by .gitignore were not searched; of those "
        f"{len(files)} match, such as {files[0]}: give one as path"
    )


def _visible_files(output: bytes, excluded: re.Pattern[str]) -> list[str]:
    paths = output.decode("utf-8", "replace").split("\0")[:-1]
    return sorted(path for path in paths if not excluded.fullmatch(path))
