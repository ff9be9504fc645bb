"""The tool TodoWrite."""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.todo_list import Todo
from mini_agent.tools.invoker import ToolOutput

SAVED: Final = (
    "\nTodos have been modified successfully. Keep the list up to date while you work. "
    "Go on with the task at hand.\n\n"
)
LIST_EMPTY: Final = "<system-reminder>Your todo list is empty now. The user need not hear of it."
LIST_CHANGED: Final = (
    "<system-reminder>Your todo list has changed. The user need not hear of it. It holds now:\n"
)


class TodoWrite(CodingTool):
    """Replace the whole todo list."""

    tool_description: ClassVar[str] = (
        "Write down the list of what is to be done, to work through a task of several steps. Each "
        "call replaces the whole list. One todo at a time is in_progress."
    )
    is_read_only: ClassVar[bool] = True
    todos: Annotated[tuple[Todo, ...], Field(description="All of them, in their order.")]

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Store the list."""
        invocation.context.todos.todos = self.todos
        if not self.todos:
            return text_output(f"{SAVED}{LIST_EMPTY}</system-reminder>")
        listed = [todo.model_dump(by_alias=True, exclude_unset=True) for todo in self.todos]
        written = json.dumps(listed, ensure_ascii=False)
        return text_output(f"{SAVED}{LIST_CHANGED}{written}.</system-reminder>")
