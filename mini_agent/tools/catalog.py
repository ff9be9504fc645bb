"""Our tools as the model sees them: names, short descriptions, parameters.

The tools that only turn text into text, the same wherever snippets run.

One tool that gives its text back, to try the wiring of a loop.
"""

from __future__ import annotations

from itertools import groupby
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import NotRun, called, text_in
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, printed, refused
from mini_agent_protocol.languages import Language, LanguageSpec

TIMEOUT: Final[dict[str, JsonValue]] = {
    "type": "number",
    "description": "Seconds it may run. Leave it out unless it needs more time.",
}


FILES_STAY: Final = "Files in the working folder stay for this run's later calls."


def function_tool(name: str, description: str, **parameters: str) -> Tool:
    """A tool whose `parameters`, name to description, are all text and all required."""
    properties: dict[str, JsonValue] = {
        parameter: {"type": "string", "description": said} for parameter, said in parameters.items()
    }
    return _tool(name, description, properties, list(parameters))


def _timed_tool(name: str, description: str, parameter: str, said: str) -> Tool:
    properties: dict[str, JsonValue] = {
        parameter: {"type": "string", "description": said},
        "timeout_s": TIMEOUT,
    }
    return _tool(name, description, properties, [parameter])


def _tool(
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


EXEC_PYTHON: Final = _timed_tool(
    "exec_python",
    "Run a Python program and get what it prints. Use print() to show results.",
    "code",
    "The whole Python program.",
)
EXEC_NODE: Final = _timed_tool(
    "exec_node",
    "Run a JavaScript program with Node.js and get what it prints.",
    "code",
    "The whole JavaScript program.",
)
EXEC_GO: Final = _timed_tool(
    "exec_go",
    "Compile and run a Go program and get what it prints.",
    "code",
    "The whole Go program, package main with func main.",
)
EXEC_RUST: Final = _timed_tool(
    "exec_rust",
    "Compile and run a Rust program and get what it prints.",
    "code",
    "The whole Rust program, with fn main.",
)
PROGRAM_TOOLS: Final = MappingProxyType[Language, Tool](
    {"python": EXEC_PYTHON, "node": EXEC_NODE, "go": EXEC_GO, "rust": EXEC_RUST}
)
RESEARCH_ECHO: Final = function_tool(
    "research_echo",
    "Look a question up and get the evidence as text.",
    query="What to look up.",
)
COMPRESS_RUNS: Final = function_tool(
    "compress_runs",
    "Run-length encode one string: each character and its count, aaabbc -> a3b2c1.",
    s="The string to encode.",
)
ECHO: Final = function_tool("echo", "Get the same text back.", text="The text.")


def program_tool(spec: LanguageSpec) -> Tool:
    """The tool that runs programs of a language."""
    verb = "Compile and run" if spec.compile else "Run"
    return PROGRAM_TOOLS.get(spec.name) or _timed_tool(
        spec.tool_name,
        f"{verb} a program in {spec.title} and get what it prints.",
        "code",
        f"The whole {spec.title} program.",
    )


def exec_shell(commands: str) -> Tool:
    """The shell tool; `commands` says which command lines it takes."""
    return _timed_tool(
        "exec_shell",
        f"Run a command line and get what it prints. {commands}",
        "cmd",
        "The command line.",
    )


def remarked_tool(tool: Tool, remark: str) -> Tool:
    """The tool with one more sentence in its description."""
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


def text_tool_output(name: str, arguments: JsonObject) -> ToolOutput | None:
    """What the text tool `name` answers; None when there is no text tool of that name."""
    if name == "research_echo":
        return printed(research_echo(text_in(arguments, "query")))
    if name == "compress_runs":
        return printed(compress_runs(text_in(arguments, "s")))
    return None


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
