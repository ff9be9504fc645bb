"""The tool Write."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.coding_tool import FileEditTool, Invocation, text_output
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.read import number_bounded, split_lines
from mini_agent.coding.tools.text_file import BYTE_ORDER_MARK, TextFile, read_text_file
from mini_agent.tools.invoker import ToolOutput

NOT_READ: Final = "Error: File has not been read yet.\nRead it first before writing to it."
UPDATED: Final = (
    "The file {path} has been updated.\n"
    "Here's the result of running `cat -n` on a snippet of the edited file:\n"
)


class Write(FileEditTool):
    """Write a whole file."""

    tool_description: ClassVar[str] = (
        "Write a file, with all its content. One that is already there has to be read first; "
        "to change a part of it, use Edit."
    )
    file_path: Annotated[str, Field(description="The file, as an absolute path.")]
    content: Annotated[str, Field(description="All that it is to hold.")]

    def path(self, context: ToolContext) -> Path:
        """Return the file."""
        return context.path(self.file_path)

    def propose_change(self, context: ToolContext) -> Change:
        """Return the new content, in the encoding and with the line ends the file has."""
        path = self.path(context)
        return replace_content(path, read_text_file(path) if path.exists() else None, self.content)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Write the file, and return its numbered lines."""
        files, path = invocation.context.files, self.path(invocation.context)
        async with invocation.context.locks.for_file(path):
            if path.exists():
                files.require_unchanged(path, NOT_READ)
            change = await asyncio.to_thread(self.apply, invocation.context)
        return describe_write(change, self.file_path)


def replace_content(path: Path, before: TextFile | None, content: str) -> Change:
    """Return the change that replaces the whole content of a file."""
    kind = before or TextFile()
    if kind.bom:
        # The file has its mark already.
        content = content.removeprefix(BYTE_ORDER_MARK)
    if kind.has_crlf:
        content = content.replace("\r\n", "\n").replace("\n", "\r\n")
    return Change(path, before, kind.with_text(content))


def describe_write(change: Change, path: str) -> ToolOutput:
    """Return what the model reads about a file that was written."""
    if change.before is None:
        return text_output(f"File created successfully at: {path}")
    excerpt = number_bounded(split_lines(change.after.normalized))
    return text_output(UPDATED.format(path=path) + excerpt.text, excerpt.remark)
