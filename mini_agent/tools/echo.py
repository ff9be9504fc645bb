"""One tool that gives its text back, to try the wiring of a loop."""

from __future__ import annotations

from mini_agent.tools.arguments import NotRun, called, text_in
from mini_agent.tools.catalog import ECHO
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, printed, refused


class EchoMCP:
    """An invoker whose only tool is `echo(text)`."""

    async def list_openai_tools(self) -> list[Tool]:
        """The tool `echo`."""
        return [ECHO]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """The text, given back."""
        try:
            name, arguments = called(openai_tool)
            if name != "echo":
                return refused(f"there is no tool {name!r:.80}; the only tool is echo")
            return printed(text_in(arguments, "text"))
        except NotRun as why:
            return refused(str(why))
