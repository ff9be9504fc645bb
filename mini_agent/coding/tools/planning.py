"""The tools that plan and delegate work: TodoWrite and Task."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, ClassVar, Final

from pydantic import Field, ValidationError

from mini_agent.coding.tools.coding_tool import (
    CodingTool,
    Invocation,
    format_validation_error,
    text_output,
)
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.todo_list import Todo
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

INVALID: Final = "Error: TodoWrite failed due to the following issues:\n"
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

    @classmethod
    def explain_invalid(cls, error: ValidationError) -> str:
        """Return what is wrong with the list."""
        return f"{INVALID}{format_validation_error(error)}"

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Store the list."""
        invocation.context.todos.todos = self.todos
        if not self.todos:
            return text_output(f"{SAVED}{LIST_EMPTY}</system-reminder>")
        listed = [todo.model_dump(by_alias=True, exclude_unset=True) for todo in self.todos]
        written = json.dumps(listed, ensure_ascii=False)
        return text_output(f"{SAVED}{LIST_CHANGED}{written}.</system-reminder>")


class Task(CodingTool):
    """Give a task to a subagent."""

    tool_description: ClassVar[str] = (
        "Give a task to an agent of its own, which knows nothing but your prompt and answers "
        "once. Several in one turn work side by side."
    )
    description: Annotated[str, Field(description="The task in three to five words.")]
    prompt: Annotated[str, Field(description="All that the agent has to know and to do.")]
    subagent_type: Annotated[str, Field(description="Which agent.")]

    @classmethod
    def is_available(cls, context: ToolContext) -> bool:
        """Return whether there are subagents."""
        return context.subagents is not None

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Run the subagent, and return its answer."""
        agents = invocation.context.subagents
        kinds = {} if agents is None else agents.subagent_types()
        if agents is None or self.subagent_type not in kinds:
            raise RejectedCall(
                f"Error: subagent_type '{self.subagent_type}' is not recognized. "
                f"Available subagent types: {', '.join(kinds)}"
            )
        answer = await agents.run(self.subagent_type, self.prompt, invocation.id)
        if isinstance(answer, str):
            return text_output(answer)
        return replace(answer, model_text=answer.model_text or answer.error or answer.stdout)
