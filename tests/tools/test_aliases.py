"""Other names for our tools and their arguments."""

from __future__ import annotations

import pytest

from mini_agent.messages import JsonObject
from mini_agent.testing.scripted import ScriptedSandbox
from mini_agent.tools.arguments import OfferedTool, parse_tools
from mini_agent.tools.names import find_tool_by_name, resolve_argument_aliases
from mini_agent.tools.sandbox import SandboxInvoker


async def offered(*languages: str) -> dict[str, OfferedTool]:
    invoker = SandboxInvoker(ScriptedSandbox(), languages=languages)
    return parse_tools(await invoker.list_openai_tools())


@pytest.mark.parametrize(
    ("requested", "meant"),
    [
        ("exec_python", "exec_python"),
        ("Exec-Python", "exec_python"),
        ("functions.exec_python", "exec_python"),
        ("python", "exec_python"),
        ("run_python", "exec_python"),
        ("exec_code", "exec_python"),
        ("code_interpreter", "exec_python"),
        ("__main__", "exec_python"),
        ("bash", "exec_shell"),
        ("shell", "exec_shell"),
        ("compress_runs", "compress_runs"),
    ],
)
async def test_a_name_means_a_tool(requested: str, meant: str) -> None:
    tool = find_tool_by_name(requested, await offered("python"))
    assert tool is not None
    assert tool.name == meant


@pytest.mark.parametrize("requested", ["search", "javascript", "exec_go", "", "pythonista"])
async def test_a_name_that_means_no_offered_tool_means_none(requested: str) -> None:
    assert find_tool_by_name(requested, await offered("python")) is None


@pytest.mark.parametrize(
    ("tool", "given", "named", "renamed"),
    [
        ("exec_python", {"source": "1"}, {"code": "1"}, ("argument source was taken as code",)),
        ("exec_shell", {"command": "ls"}, {"cmd": "ls"}, ("argument command was taken as cmd",)),
        ("compress_runs", {"text": "aa"}, {"s": "aa"}, ("argument text was taken as s",)),
        ("exec_python", {"code": "1", "source": "2"}, {"code": "1", "source": "2"}, ()),
        ("exec_python", {"nothing": 1}, {"nothing": 1}, ()),
        (
            "exec_python",
            {"script": "1", "timeout": 5},
            {"code": "1", "timeout_s": 5},
            ("argument script was taken as code", "argument timeout was taken as timeout_s"),
        ),
    ],
)
async def test_arguments_get_their_own_names(
    tool: str, given: JsonObject, named: JsonObject, renamed: tuple[str, ...]
) -> None:
    assert resolve_argument_aliases(given, (await offered("python"))[tool]) == (named, renamed)
