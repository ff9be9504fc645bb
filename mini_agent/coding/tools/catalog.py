"""The catalog of the assistant's tools, and the invoker that calls them in this process."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from mini_agent.coding.tools.ask_user import AskUserQuestion, ExitPlanMode
from mini_agent.coding.tools.bash import Bash, BashOutput, KillBash
from mini_agent.coding.tools.coding_tool import (
    CodingTool,
    Invocation,
    convert_os_error,
    error_output,
    with_remark,
)
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.edit import Edit, MultiEdit
from mini_agent.coding.tools.glob import Glob
from mini_agent.coding.tools.grep import Grep
from mini_agent.coding.tools.ls import LS
from mini_agent.coding.tools.notebook import NotebookEdit
from mini_agent.coding.tools.planning import Task, TodoWrite
from mini_agent.coding.tools.read import Read
from mini_agent.coding.tools.web import WebFetch, WebSearch
from mini_agent.coding.tools.write import Write
from mini_agent.errors import MiniAgentError
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import ParsedArguments, RejectedCall, parse_tool_call
from mini_agent.tools.invoker import OpenAIToolCall, OutputListener, Tool, ToolOutput

TOOLS: Final = MappingProxyType[str, type[CodingTool]](
    {
        tool.__name__: tool
        for tool in (
            Task,
            Bash,
            BashOutput,
            KillBash,
            Glob,
            Grep,
            LS,
            Read,
            Edit,
            MultiEdit,
            Write,
            NotebookEdit,
            WebFetch,
            WebSearch,
            TodoWrite,
            AskUserQuestion,
            ExitPlanMode,
        )
    }
)


class CodingTools:
    """Invoker of the assistant's tools: text in `told`, images in `attachments`."""

    def __init__(self, context: ToolContext) -> None:
        self._context = context

    async def list_openai_tools(self) -> list[Tool]:
        """Return the available tools in OpenAI's form."""
        return [_openai_tool(name, tool) for name, tool in available_tools(self._context).items()]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Execute one call."""
        return await self.stream_openai_tool(openai_tool, lambda _piece: None)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: OutputListener
    ) -> ToolOutput:
        """Execute one call; `listener` gets what a command prints, as it comes."""
        return with_remark(await self.call(openai_tool, listener))

    async def call(self, openai_tool: OpenAIToolCall, listener: OutputListener) -> ToolOutput:
        """Execute one call; what is to be said about its text is the output's `note`."""
        try:
            call = parse_tool_call(openai_tool)
            invocation = Invocation(str(openai_tool.get("id") or ""), self._context, listener)
            return await self._run(call, invocation)
        except OSError as error:
            return error_output(str(convert_os_error(error)))
        except (RejectedCall, MiniAgentError) as error:
            return error_output(str(error))

    async def _run(self, call: ParsedArguments, invocation: Invocation) -> ToolOutput:
        known = available_tools(self._context)
        if call.name not in known:
            names = ", ".join(known)
            raise RejectedCall(f"Error: there is no tool {call.name!r:.80}; there are: {names}")
        tool = known[call.name]
        try:
            parsed = tool.model_validate(call.arguments)
        except ValidationError as error:
            return error_output(tool.explain_invalid(error))
        return await parsed.run(invocation)


def coding_tools(context: ToolContext) -> CodingTools:
    """Return the invoker for a context."""
    return CodingTools(context)


def available_tools(context: ToolContext) -> dict[str, type[CodingTool]]:
    """Return the tools that have all they need, by name."""
    return {name: tool for name, tool in TOOLS.items() if tool.is_available(context)}


def argument_schema(tool: type[CodingTool]) -> JsonObject:
    """Return the JSON schema of a tool's arguments."""
    schema: JsonObject = tool.model_json_schema(schema_generator=_SchemaWithoutTitles)
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def _openai_tool(name: str, tool: type[CodingTool]) -> Tool:
    function: JsonObject = {
        "name": name,
        "description": tool.tool_description,
        "parameters": argument_schema(tool),
    }
    return {"type": "function", "function": function}


class _SchemaWithoutTitles(GenerateJsonSchema):
    """Leaves titles out: one that repeats a name costs tokens in every request."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False
