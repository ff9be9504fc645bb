"""The schemas of our own tools, and the tools that only transform text."""

from __future__ import annotations

from itertools import groupby
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import RejectedCall, parse_tool_call, read_text_argument
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, error_output, text_output
from mini_agent_protocol.languages import Language, LanguageSpec

TIMEOUT_SCHEMA: Final[dict[str, JsonValue]] = {
    "type": "number",
    "description": "Seconds it may run. Leave it out unless it needs more time.",
}


WORKSPACE_NOTE: Final = "Files in the working folder stay for this run's later calls."


def build_text_tool(name: str, description: str, **parameters: str) -> Tool:
    """Build a tool whose `parameters`, name to description, are all text and all required."""
    properties: dict[str, JsonValue] = {
        parameter: {"type": "string", "description": said} for parameter, said in parameters.items()
    }
    return _build_tool(name, description, properties, list(parameters))


def _build_program_tool(name: str, description: str, parameter: str, said: str) -> Tool:
    properties: dict[str, JsonValue] = {
        parameter: {"type": "string", "description": said},
        "timeout_s": TIMEOUT_SCHEMA,
    }
    return _build_tool(name, description, properties, [parameter])


def _build_tool(
    name: str, description: str, properties: dict[str, JsonValue], required: list[JsonValue]
) -> Tool:
    parameters: dict[str, JsonValue] = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    function: dict[str, JsonValue] = {
        "name": name,
        "description": description,
        "parameters": parameters,
    }
    return {"type": "function", "function": function}


EXEC_PYTHON: Final = _build_program_tool(
    "exec_python",
    "Run a Python program and get what it prints. Use print() to show results.",
    "code",
    "The whole Python program.",
)
EXEC_NODE: Final = _build_program_tool(
    "exec_node",
    "Run a JavaScript program with Node.js and get what it prints.",
    "code",
    "The whole JavaScript program.",
)
EXEC_GO: Final = _build_program_tool(
    "exec_go",
    "Compile and run a Go program and get what it prints.",
    "code",
    "The whole Go program, package main with func main.",
)
EXEC_RUST: Final = _build_program_tool(
    "exec_rust",
    "Compile and run a Rust program and get what it prints.",
    "code",
    "The whole Rust program, with fn main.",
)
PROGRAM_TOOLS: Final = MappingProxyType[Language, Tool](
    {"python": EXEC_PYTHON, "node": EXEC_NODE, "go": EXEC_GO, "rust": EXEC_RUST}
)
RESEARCH_ECHO: Final = build_text_tool(
    "research_echo",
    "Look a question up and get the evidence as text.",
    query="What to look up.",
)
COMPRESS_RUNS: Final = build_text_tool(
    "compress_runs",
    "Run-length encode one string: each character and its count, aaabbc -> a3b2c1.",
    s="The string to encode.",
)
ECHO: Final = build_text_tool("echo", "Get the same text back.", text="The text.")


def program_tool(spec: LanguageSpec) -> Tool:
    """The tool that runs programs of a language."""
    verb = "Compile and run" if spec.compile else "Run"
    return PROGRAM_TOOLS.get(spec.name) or _build_program_tool(
        spec.tool_name,
        f"{verb} a program in {spec.title} and get what it prints.",
        "code",
        f"The whole {spec.title} program.",
    )


def build_shell_tool(commands: str) -> Tool:
    """Build the shell tool; `commands` says which command lines it takes."""
    return _build_program_tool(
        "exec_shell",
        f"Run a command line and get what it prints. {commands}",
        "cmd",
        "The command line.",
    )


def append_description(tool: Tool, remark: str) -> Tool:
    """Return the tool with one more sentence in its description."""
    function = tool["function"]
    if not isinstance(function, dict):
        return tool
    return {**tool, "function": {**function, "description": f"{function['description']} {remark}"}}


TEXT_TOOLS: Final[tuple[Tool, ...]] = (RESEARCH_ECHO, COMPRESS_RUNS)


def compress_runs(text: str) -> str:
    """Run-length encoding, character then count, by code point: `aaabbc` -> `a3b2c1`."""
    return "".join(f"{character}{len(list(run))}" for character, run in groupby(text))


def research_echo(query: str) -> str:
    """A stand-in for research that hands the question back as its own evidence."""
    return f"EVIDENCE: {query}"


def run_text_tool(name: str, arguments: JsonObject) -> ToolOutput | None:
    """Execute the text tool `name`; None when there is none of that name."""
    if name == "research_echo":
        return text_output(research_echo(read_text_argument(arguments, "query")))
    if name == "compress_runs":
        return text_output(compress_runs(read_text_argument(arguments, "s")))
    return None


class EchoMCP:
    """An invoker whose only tool is `echo(text)`."""

    async def list_openai_tools(self) -> list[Tool]:
        """The tool `echo`."""
        return [ECHO]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Return the text."""
        try:
            name, arguments = parse_tool_call(openai_tool)
            if name != "echo":
                return error_output(f"there is no tool {name!r:.80}; the only tool is echo")
            return text_output(read_text_argument(arguments, "text"))
        except RejectedCall as why:
            return error_output(str(why))
