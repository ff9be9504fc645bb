"""The tool Task."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.context import ToolContext
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput


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
        return replace(answer, told=answer.told or answer.error or answer.stdout)
