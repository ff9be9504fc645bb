"""No tool is called that the model did not name: what may differ in a name, and what may not."""

from __future__ import annotations

import json

import pytest

from mini_agent.messages import JsonObject
from mini_agent.model import ToolCall
from mini_agent.testing.weak_models import OFFERED_TOOLS
from mini_agent.tool_parsing.resolve import ResolvedCall, resolve_call
from mini_agent.tools.arguments import parse_tools
from mini_agent.tools.invoker import Tool


def a_tool(name: str, *parameters: str) -> Tool:
    properties: JsonObject = {each: {"type": "string"} for each in parameters}
    schema: JsonObject = {"type": "object", "properties": properties, "required": [*parameters]}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def resolve(offered: list[Tool], requested: str, arguments: JsonObject) -> ResolvedCall:
    call = ToolCall("1", requested, json.dumps(arguments))
    return resolve_call(call, "1", parse_tools(offered))


@pytest.mark.parametrize(
    ("offered", "requested"),
    [
        ("enable_alarm_1", "enable_alarm_2"),
        ("enable_alarm_1", "enable_alarm_11"),
        ("lock_door", "block_door"),
        ("lock_door", "unlock_door"),
        ("create_user", "delete_user"),
        ("activate_device", "deactivate_device"),
        ("mount_disk", "unmount_disk"),
        ("schedule_meeting", "reschedule_meeting"),
        ("increase_volume", "decrease_volume"),
        ("get_weathers", "get_weather"),
        ("send_mail", "send_mali"),
        ("open_valve_12", "open_valve_1_2"),
        ("open_valve_1_2", "open_valve_12"),
        ("version_1.2", "version_12"),
        ("delete_all", "my_delete_all"),
        ("search", "user_search"),
        ("stop", "agent_stop"),
        ("user", "delete.user"),
        ("a__get", "b__get"),
        ("a__get", "b.get"),
        ("删除文件", "创建文件"),
        ("删除文件", "查询"),
        ("löschen", "lochen"),
        ("terminal", "run_shell"),
        ("run_python", "python"),
        ("format_code", "run_code"),
        ("terminal", "run"),
    ],
)
def test_another_tool_is_not_called_by_likeness(offered: str, requested: str) -> None:
    call = resolve([a_tool(offered, "command")], requested, {"command": "ls"})
    assert call.problem.startswith(f"there is no tool {requested!r}")
    assert "known tools: " in call.problem


@pytest.mark.parametrize(
    ("offered", "requested"),
    [
        ("delete_user", "deleteUser"),
        ("delete_user", "delete-user"),
        ("delete_user", "Delete User"),
        ("delete_user", "DELETE_USER"),
        ("deleteUser", "delete_user"),
        ("get_weather", "get.weather"),
        ("get_weather", "functions.get_weather"),
        ("get_weather", "functions.get_weather:0"),
        ("get_weather", "mcp__server__get_weather"),
        ("get_weather", "server.get_weather"),
        ("get_weather", "server/getWeather"),
        ("server__get_weather", "get_weather"),
        ("server__get_weather", "mcp__server__get_weather"),
        ("löschen", "LÖSCHEN"),
        ("Run-Python", "run_python"),
    ],
)
def test_case_separators_and_a_namespace_may_differ(offered: str, requested: str) -> None:
    call = resolve([a_tool(offered, "x"), a_tool("another", "x")], requested, {"x": "1"})
    assert call.problem == ""
    assert call.requested_name == requested
    assert call.name == resolve([a_tool(offered, "x")], offered, {"x": "1"}).name


@pytest.mark.parametrize(
    ("offered", "requested"),
    [(("get_item", "getItem"), "GetItem"), (("a__get", "b__get"), "get")],
)
def test_of_two_that_may_be_meant_none_is_called(offered: tuple[str, ...], requested: str) -> None:
    call = resolve([a_tool(name, "x") for name in offered], requested, {"x": "1"})
    assert call.problem.startswith(f"there is no tool {requested!r}")


def test_near_names_come_before_the_list_of_all() -> None:
    names = ["enable_alarm_1", "enable_alarm_3", "weather", "mail", "files"]
    problem = resolve([a_tool(name, "x") for name in names], "enable_alarm_2", {"x": "1"}).problem
    assert "near names: enable_alarm_3, enable_alarm_1; known tools: " in problem


@pytest.mark.parametrize(
    ("requested", "meant"),
    [
        ("exec_pyhton", "exec_python"),
        ("run_python", "exec_python"),
        ("my_exec_python", "exec_python"),
    ],
)
def test_our_own_tools_have_aliases(requested: str, meant: str) -> None:
    call = resolve([*OFFERED_TOOLS["sandbox"]], requested, {"code": "print(1)"})
    assert (call.name, call.problem) == (meant, "")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (a_tool("review_code", "source"), {"source": "print(1)"}),
        (a_tool("run_script", "script"), {"script": "echo hi"}),
        (a_tool("run_script", "script"), {"script": "```python\nprint(1)\n```", "lang": "bash"}),
        (a_tool("terminal", "command"), {"command": "import os\nprint(os.getcwd())"}),
    ],
)
def test_a_program_for_a_foreign_tool_goes_to_that_tool_unchanged(
    tool: Tool, arguments: JsonObject
) -> None:
    call = resolve([*OFFERED_TOOLS["sandbox"], tool], _name(tool), arguments)
    assert (call.name, call.arguments, call.problem) == (_name(tool), arguments, "")


def test_code_for_a_foreign_tool_is_not_run_by_ours() -> None:
    tools = [*OFFERED_TOOLS["sandbox"], a_tool("review_code", "source", "style")]
    call = resolve(tools, "review_code", {"code": "print(1)"})
    assert (call.name, bool(call.problem)) == ("review_code", True)


def _name(tool: Tool) -> str:
    function = tool["function"]
    return str(function["name"]) if isinstance(function, dict) else ""
