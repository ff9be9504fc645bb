"""Names and schemas that every model server takes, whatever a server of tools lists."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import parse_tools
from mini_agent.tools.invoker import Tool, ToolOutput, get_called_name, get_tool_name, text_output
from mini_agent.tools.portable_tools import make_portable_names, make_portable_schema
from mini_agent.tools.wrappers import FilteredInvoker

TEXT: JsonObject = {"type": "string"}
NAMES = [
    "a.b",
    "a/b",
    "a_b",
    "x" * 80,
    "x" * 81,
    "ä",
    "删除",
    "创建",
    "ok-1",
    "",
    "my tool!",
    "...",
]


def defs(named: Mapping[str, JsonValue]) -> JsonObject:
    return {"$defs": {**named}}


def an_object(properties: JsonObject, *required: str, **more: JsonValue) -> JsonObject:
    return {"type": "object", "properties": properties, "required": [*required], **more}


def test_each_name_is_one_that_model_servers_take_and_no_two_are_equal() -> None:
    names = make_portable_names(NAMES)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each) for each in names.values())
    assert len(set(names.values())) == len(NAMES)


def test_the_order_of_the_tools_does_not_change_a_name() -> None:
    assert make_portable_names(reversed(NAMES)) == make_portable_names(NAMES)


@pytest.mark.parametrize(
    ("own", "portable"),
    [
        ("a_b", "a_b"),
        ("ok-1", "ok-1"),
        ("ä", "a"),
        ("x.y", "x_y"),
        ("admin/users list", "admin_users_list"),
    ],
)
def test_a_name_changes_as_little_as_it_can(own: str, portable: str) -> None:
    assert make_portable_names([own, "other"])[own] == portable


@pytest.mark.parametrize(
    ("schema", "portable"),
    [
        ({}, {"type": "object", "properties": {}}),
        (None, {"type": "object", "properties": {}}),
        ({"type": "array"}, {"type": "object", "properties": {}}),
        ({"type": "object", "properties": None}, {"type": "object", "properties": {}}),
        ({"properties": {"a": TEXT}}, {"type": "object", "properties": {"a": TEXT}}),
        (
            an_object({"a": {"$ref": "#/$defs/A"}}, "a", **defs({"A": an_object({"x": TEXT})})),
            an_object({"a": {"type": "object", "properties": {"x": TEXT}}}, "a"),
        ),
        (
            an_object(
                {"a": {"$ref": "#/definitions/A", "description": "it"}},
                "a",
                definitions={"A": TEXT},
            ),
            an_object({"a": {**TEXT, "description": "it"}}, "a"),
        ),
        (
            {"$ref": "#/$defs/R", "$defs": {"R": an_object({"x": TEXT}, "x")}},
            an_object({"x": TEXT}, "x"),
        ),
        (
            {
                "anyOf": [
                    an_object({"a": TEXT}, "a", "c"),
                    an_object({"b": TEXT, "c": {}}, "b", "c"),
                ]
            },
            an_object({"a": TEXT, "c": {}, "b": TEXT}, "c"),
        ),
        (
            {"oneOf": [an_object({"k": {"const": 1}}, "k"), an_object({"k": {"const": 2}}, "k")]},
            an_object({"k": {"enum": [1, 2]}}, "k"),
        ),
        (
            {"allOf": [an_object({"a": {}}, "a"), an_object({"b": {}}, "b")]},
            an_object({"a": {}, "b": {}}, "a", "b"),
        ),
        (
            an_object({"x": {"type": "array"}}, "x"),
            an_object({"x": {"type": "array", "items": {}}}, "x"),
        ),
        (
            an_object({"x": {"type": "array", "items": [TEXT, TEXT]}}, "x"),
            an_object({"x": {"type": "array", "items": TEXT}}, "x"),
        ),
        (an_object({"x": {**TEXT, "required": True}}), an_object({"x": TEXT}, "x")),
        (an_object({"x": {"type": "any"}}, "x"), an_object({"x": {}}, "x")),
        (
            an_object({"x": {"minimum": 0, "exclusiveMinimum": True}}, "x"),
            an_object({"x": {"exclusiveMinimum": 0}}, "x"),
        ),
        (an_object({"x": {"$ref": "https://example.com/a"}}, "x"), an_object({"x": {}}, "x")),
        (an_object({"x": {"$ref": "#/$defs/nowhere"}}, "x"), an_object({"x": {}}, "x")),
        (an_object({"x": True}, "x", "ghost"), an_object({"x": {}, "ghost": {}}, "x", "ghost")),
        (
            an_object({"$defs": TEXT, "id": TEXT, "properties": TEXT, "required": {}}, "id"),
            an_object({"$defs": TEXT, "id": TEXT, "properties": TEXT, "required": {}}, "id"),
        ),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "$id": "a",
                **an_object({"a": TEXT}, "a"),
            },
            an_object({"a": TEXT}, "a"),
        ),
    ],
)
def test_a_schema_is_one_that_model_servers_take(schema: JsonValue, portable: JsonObject) -> None:
    assert make_portable_schema(schema) == portable
    assert make_portable_schema(portable) == portable


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = an_object({"v": TEXT, "kids": {"type": "array", "items": {"$ref": "#/$defs/N"}}}, "v")
    tree = an_object({"tree": {"$ref": "#/$defs/N"}}, "tree", **defs({"N": node}))
    assert "$ref" not in json.dumps(make_portable_schema(tree))
    assert json.dumps(make_portable_schema(tree)).count('"kids"') == 1


def test_references_that_multiply_do_not_fill_the_context() -> None:
    layers: JsonObject = {
        f"L{depth}": an_object({f"p{at}": {"$ref": f"#/$defs/L{depth + 1}"} for at in range(9)})
        for depth in range(9)
    }
    schema = an_object({"x": {"$ref": "#/$defs/L0"}}, **defs({**layers, "L9": TEXT}))
    assert len(json.dumps(make_portable_schema(schema))) < 200_000


def test_what_is_offered_and_what_is_called_have_their_own_names() -> None:
    function: JsonObject = {
        "name": "files.read",
        "parameters": {"allOf": [an_object({"p": TEXT}, "p")]},
    }
    (tool,) = parse_tools([{"type": "function", "function": function}]).values()
    assert (tool.name, tool.own_name) == ("files_read", "files.read")
    assert (tool.parameters, tool.required) == (("p",), ("p",))
    assert get_tool_name(tool.schema) == "files_read"


class Dotted:
    """An invoker whose one tool has a name that model servers refuse, and lists it portably."""

    async def list_openai_tools(self) -> list[Tool]:
        return [{"type": "function", "function": {"name": "files_read", "parameters": {}}}]

    async def call_openai_tool(self, openai_tool: JsonObject) -> ToolOutput:
        return text_output(get_called_name(openai_tool))


async def test_a_filter_may_name_a_tool_as_its_server_does() -> None:
    tools = FilteredInvoker(Dotted(), enabled=["files.read"])
    assert [get_tool_name(tool) for tool in await tools.list_openai_tools()] == ["files_read"]
