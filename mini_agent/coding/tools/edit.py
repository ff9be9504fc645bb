"""The tools Edit and MultiEdit: replace text in a file, whatever its line ends."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.coding.tools import write
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.coding_tool import (
    FileEditTool,
    Invocation,
    format_validation_error,
    shorten,
    text_output,
)
from mini_agent.coding.tools.context import NOT_READ, ToolContext
from mini_agent.coding.tools.read import number_excerpt
from mini_agent.coding.tools.text_file import BYTE_ORDER_MARK, TextFile, read_text_file
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

# Of each text that an answer repeats, and of a list of them.
MAX_SHOWN_CHARS: Final = 1_000
MAX_LISTED_CHARS: Final = 20_000
MULTI_NOT_READ: Final = NOT_READ.replace("File", "file")
NO_LIST: Final = (
    "Error: edits must be a list of objects with old_string, new_string, and optional replace_all."
)
NO_CHANGE: Final = "No changes to make: old_string and new_string are exactly the same."
ONE_PLACE: Final = (
    "The file {path} has been updated. "
    "Here's the result of running `cat -n` on a snippet of the edited file:\n"
)
ALL_PLACES: Final = (
    "The file {path} has been updated. "
    "All occurrences of '{old}' were successfully replaced with '{new}'.\n"
)
Old = Annotated[str, Field(description="The text to replace, exactly as it stands in the file.")]
New = Annotated[str, Field(description="The text to put in its place.")]
ReplaceAll = Annotated[bool, Field(description="Replace it wherever it stands.")]


@dataclass(frozen=True, slots=True)
class Replacement:
    """A text and its replacement: the only occurrence, or with `replace_all` every one."""

    old: str
    new: str
    replace_all: bool = False

    def apply_to(self, file: TextFile) -> TextFile:
        """Return the file afterwards; raise `RejectedCall` if the text is missing or ambiguous."""
        if self.old == self.new:
            raise RejectedCall(NO_CHANGE)
        ends = _NormalizedText(file)
        old, new = _normalize(self.old, file), _normalize(self.new, file)
        offsets = [match.start() for match in re.finditer(re.escape(old), ends.normalized)]
        if not offsets:
            raise RejectedCall(f"String to replace not found in file.\nString: {self.old}\n")
        if len(offsets) > 1 and not self.replace_all:
            raise RejectedCall(_ambiguous_message(len(offsets), self.old))
        return file.with_text(ends.splice(offsets, len(old), new))

    def find_first_line(self, file: TextFile) -> int:
        """Return the number, from 1, of the line where the first occurrence begins."""
        normalized = file.normalized
        return normalized.count("\n", 0, max(0, normalized.find(_normalize(self.old, file)))) + 1


class Edit(FileEditTool):
    """Replace one text."""

    tool_description: ClassVar[str] = (
        "Replace a text in a file that you have read. old_string must be exactly what stands "
        "there, without the line numbers, and stand there once, unless replace_all is true."
    )
    file_path: Annotated[str, Field(description="The file, as an absolute path.")]
    old_string: Old
    new_string: New
    replace_all: ReplaceAll = False

    def path(self, context: ToolContext) -> Path:
        """Return the file."""
        return context.path(self.file_path)

    def propose_change(self, context: ToolContext) -> Change:
        """Return the change; with an empty `old_string`, a new file."""
        path = self.path(context)
        if not self.old_string.strip("\n") and (not path.exists() or not path.stat().st_size):
            before = read_text_file(path) if path.exists() else None
            return write.replace_content(path, before, self.new_string)
        if not path.exists():
            raise RejectedCall("File does not exist.")
        if not self.old_string:
            raise RejectedCall("Error: old_string is empty, and the file is not.")
        before = read_text_file(path)
        return Change(path, before, self._replacement.apply_to(before))

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Edit the file, and return an excerpt of it."""
        change = await _apply_edit(self, invocation)
        if change.before is None:
            return write.describe_write(change, self.file_path)
        if self.replace_all:
            old, new = (
                shorten(text.strip("\n"), MAX_SHOWN_CHARS)
                for text in (self.old_string, self.new_string)
            )
            return text_output(ALL_PLACES.format(path=self.file_path, old=old, new=new))
        first = self._replacement.find_first_line(change.before)
        count = self.new_string.count("\n") + 1
        excerpt = number_excerpt(change.after.normalized, first, count)
        return text_output(ONE_PLACE.format(path=self.file_path) + excerpt.text, excerpt.remark)

    @property
    def _replacement(self) -> Replacement:
        return Replacement(self.old_string, self.new_string, self.replace_all)


class One(BaseModel):
    """One of several replacements."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old_string: Old
    new_string: New
    replace_all: ReplaceAll = False

    def replacement(self) -> Replacement:
        """Return the edit as a replacement."""
        return Replacement(self.old_string, self.new_string, self.replace_all)


class MultiEdit(FileEditTool):
    """Replace several texts in one file."""

    tool_description: ClassVar[str] = (
        "Make several replacements in one file, one after the other: all of them, or none when "
        "one cannot be made. The rules are those of Edit."
    )
    file_path: Annotated[str, Field(description="The file, as an absolute path.")]
    edits: Annotated[tuple[One, ...], Field(min_length=1, description="In their order.")]

    def path(self, context: ToolContext) -> Path:
        """Return the file."""
        return context.path(self.file_path)

    @classmethod
    def explain_invalid(cls, error: ValidationError) -> str:
        """Return what is wrong with the list of edits, or with another argument."""
        wrong = error.errors(include_url=False)
        if [each["type"] for each in wrong] == ["too_short"]:
            return "Error: at least one edit is required."
        has_list = all(each["loc"][0] != "edits" or each["type"] == "missing" for each in wrong)
        return format_validation_error(error) if has_list else NO_LIST

    def propose_change(self, context: ToolContext) -> Change:
        """Return all replacements as one change: each is made to the result of the one before."""
        path = self.path(context)
        for edit in self.edits:
            _require_effect(edit)
        if not path.exists():
            raise RejectedCall("Error: file does not exist.")
        before = after = read_text_file(path)
        for index, edit in enumerate(self.edits):
            _require_own_text(edit, before, after, self.edits[:index])
            after = edit.replacement().apply_to(after)
        return Change(path, before, after)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Edit the file, and list the replacements."""
        for edit in self.edits:
            _require_effect(edit)
        await _apply_edit(self, invocation, MULTI_NOT_READ)
        count = len(self.edits)
        head = f"Applied {count} edit{'s' if count > 1 else ''} to {self.file_path}:\n"
        lines, length = list[str](), 0
        for index, edit in enumerate(self.edits, 1):
            old, new = (
                shorten(text, MAX_SHOWN_CHARS) for text in (edit.old_string, edit.new_string)
            )
            lines.append(f'{index}. Replaced "{old}" with "{new}"\n')
            length += len(lines[-1])
            if length > MAX_LISTED_CHARS:
                break
        left = count - len(lines)
        remark = f"the other {left} edits were made too and are not listed" if left else ""
        return text_output(head + "".join(lines), remark)


class _NormalizedText:
    """A text with line feeds only, and the offsets of its places in the original text."""

    def __init__(self, file: TextFile) -> None:
        self.normalized = file.normalized
        self._file = file
        pairs = (match.start() for match in re.finditer("\r\n", file.text))
        self._crlf_offsets = [index - before for before, index in enumerate(pairs)]

    def splice(self, offsets: list[int], length: int, new: str) -> str:
        text, parts, done = self._file.text, list[str](), 0
        for offset in offsets:
            start, end = self._original_offset(offset), self._original_offset(offset + length)
            parts += [text[done:start], self._with_line_ends(text[start:end], new)]
            done = end
        return "".join([*parts, text[done:]])

    def _original_offset(self, place: int) -> int:
        return place + bisect_left(self._crlf_offsets, place)

    def _with_line_ends(self, old: str, new: str) -> str:
        has_crlf = "\r\n" in old if "\n" in old else self._file.has_crlf
        return new.replace("\n", "\r\n") if has_crlf else new


def _normalize(text: str, file: TextFile) -> str:
    # The mark of a file is no part of its text.
    text = text.removeprefix(BYTE_ORDER_MARK) if file.bom else text
    return text.replace("\r\n", "\n")


def _ambiguous_message(count: int, old: str) -> str:
    return (
        f"Found {count} matches of the string to replace, but replace_all is false.\n"
        "To replace all occurrences, set replace_all to true.\n"
        "To replace only one occurrence, please provide more context to uniquely identify the "
        f"instance.\nString: {old}\n"
    )


async def _apply_edit(
    tool: Edit | MultiEdit, invocation: Invocation, not_read: str = NOT_READ
) -> Change:
    files, path = invocation.context.files, tool.path(invocation.context)
    async with invocation.context.locks.for_file(path):
        if path.is_file() and path.stat().st_size:
            files.require_unchanged(path, not_read)
        return await asyncio.to_thread(tool.apply, invocation.context)


def _require_effect(edit: One) -> None:
    if not edit.old_string:
        raise RejectedCall("Error: old_string cannot be empty.")
    if edit.old_string == edit.new_string:
        raise RejectedCall(NO_CHANGE)


def _require_own_text(
    edit: One, before: TextFile, after: TextFile, earlier: tuple[One, ...]
) -> None:
    """Refuse an edit whose text an earlier one has removed, or put in beside another such text."""
    old = _normalize(edit.old_string, before)
    count = after.normalized.count(old)
    if not count and old in before.normalized:
        raise RejectedCall(
            f"String to replace overlaps with an earlier edit.\nString: {edit.old_string}\n"
        )
    if count > 1 and not edit.replace_all and any(old in each.new_string for each in earlier):
        raise RejectedCall(
            "Cannot edit file: old_string is a substring of a new_string from a previous edit."
        )
