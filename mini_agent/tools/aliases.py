"""Other names that plainly mean one of our tools, or one of their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from mini_agent.messages import JsonObject
from mini_agent.tools.offered import OfferedTool

_PYTHON: Final = (
    "python python3 py ipython __main__ run_python execute_python python_exec python_code "
    "run_python_code execute_python_code python_interpreter python_repl python_tool "
    "code run_code exec_code execute_code code_interpreter code_execution"
)
_SHELL: Final = (
    "shell bash sh terminal command cmd run_shell execute_shell run_bash exec_bash execute_bash "
    "run_command exec_command execute_command shell_command run_shell_command run_terminal_cmd"
)
_NODE: Final = "node nodejs javascript js run_node run_javascript exec_javascript exec_js"

TOOL_NAMES: Final = MappingProxyType(
    {
        alias: tool
        for tool, aliases in (
            ("exec_python", _PYTHON),
            ("exec_shell", _SHELL),
            ("exec_node", _NODE),
            ("exec_go", "go golang run_go execute_go"),
            ("exec_rust", "rust run_rust execute_rust"),
        )
        for alias in aliases.split()
    }
)
ARGUMENT_NAMES: Final = MappingProxyType(
    {
        "code": ("source", "script", "program", "snippet", "source_code", "python_code", "python"),
        "cmd": ("command", "shell", "bash", "script", "command_line", "commands"),
        "query": ("q", "question", "search", "search_query"),
        "s": ("string", "text", "input", "input_string"),
        "text": ("message", "string", "input"),
        "timeout_s": ("timeout", "timeout_sec", "timeout_seconds"),
    }
)


def tool_meant(requested: str, known: Mapping[str, OfferedTool]) -> OfferedTool | None:
    """The tool that `requested` names, by its own or another name; None when it names none."""
    if requested in known:
        return known[requested]
    plain = requested.strip().lower().replace("-", "_")
    plain = plain.removeprefix("functions.").removeprefix("tools.")
    return known.get(plain) or known.get(TOOL_NAMES.get(plain, ""))


class Named(NamedTuple):
    """Arguments under the tool's own names, and what was renamed, a sentence each."""

    arguments: JsonObject
    renamed: tuple[str, ...]


def with_own_names(arguments: JsonObject, tool: OfferedTool) -> Named:
    """`arguments` with an alias put under the parameter's own name, where that one is missing."""
    named, renamed = dict(arguments), []
    for parameter in tool.parameters:
        alias = _alias_of(parameter, named, tool)
        if alias:
            named[parameter] = named.pop(alias)
            renamed.append(f"argument {alias} was taken as {parameter}")
    return Named(named, tuple(renamed))


def _alias_of(parameter: str, given: JsonObject, tool: OfferedTool) -> str | None:
    if parameter in given:
        return None
    aliases = ARGUMENT_NAMES.get(parameter, ())
    return next(
        (alias for alias in aliases if alias in given and alias not in tool.parameters), None
    )
