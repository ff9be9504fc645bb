"""The suite's tools: Python really runs, the outputs of other languages' programs are known."""

from __future__ import annotations

from dataclasses import dataclass, field

from mini_agent.messages import parse_json_object
from mini_agent.testing.weak_models import OFFERED_TOOLS
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, error_output, text_output
from mini_agent.tools.local import LocalMCPInvoker
from tests.behaviours.programs import ECHO, GO, NODE, PROGRAM_PARAMETER, RUST, SHELL, program_key

KNOWN_OUTPUTS = {each.key: each.prints for each in (SHELL, ECHO, NODE, GO, RUST)}


@dataclass(slots=True)
class RecordingInvoker:
    """An invoker that records each program it is asked to run."""

    ran: list[tuple[str, str]] = field(default_factory=list)
    local: LocalMCPInvoker = field(default_factory=LocalMCPInvoker)

    async def list_openai_tools(self) -> list[Tool]:
        return list(OFFERED_TOOLS["sandbox"])

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        function = openai_tool["function"]
        assert isinstance(function, dict)
        name, arguments = str(function["name"]), parse_json_object(str(function["arguments"]))
        program = arguments.get(PROGRAM_PARAMETER.get(name, ""))
        if not isinstance(program, str):
            return error_output(f"{name} wants {PROGRAM_PARAMETER.get(name)}, a text")
        self.ran.append((name, program))
        if name in ("exec_python", "compress_runs", "research_echo"):
            return await self.local.call_openai_tool(openai_tool)
        known = KNOWN_OUTPUTS.get(program_key(name, program))
        return (
            text_output(f"{known}\n") if known else ToolOutput(ok=False, rc=1, stderr="not known")
        )
