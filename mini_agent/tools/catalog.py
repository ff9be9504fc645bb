"""Our tools as the model sees them: names, short descriptions, parameters."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from mini_agent.tools.invoker import Tool

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
