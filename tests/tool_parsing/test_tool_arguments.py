"""Arguments of foreign tools: unchanged where the schema takes them, else repaired or refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.model import ToolCall
from mini_agent.tool_parsing.resolve import ResolvedCall, resolve_call
from mini_agent.tools.arguments import parse_tools

TEXT: JsonObject = {"type": "string"}
INTEGER: JsonObject = {"type": "integer"}
NUMBER: JsonObject = {"type": "number"}
BOOLEAN: JsonObject = {"type": "boolean"}


def defs(named: Mapping[str, JsonValue]) -> JsonObject:
    return {"$defs": {**named}}


def an_object(properties: JsonObject, *required: str, **more: JsonValue) -> JsonObject:
    return {"type": "object", "properties": properties, "required": [*required], **more}


def a_list(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


def ref(name: str) -> JsonObject:
    return {"$ref": f"#/$defs/{name}"}


NULLABLE_INTEGER: JsonObject = {"anyOf": [INTEGER, {"type": "null"}]}
PERSON = an_object(
    {"person": ref("Person")},
    "person",
    **defs({"Person": an_object({"name": TEXT, "age": NULLABLE_INTEGER}, "name")}),
)
TREE = an_object(
    {"tree": ref("Node")},
    "tree",
    **defs({"Node": an_object({"v": INTEGER, "kids": a_list(ref("Node"))}, "v")}),
)
SHAPES = an_object(
    {
        "shape": {
            "oneOf": [
                an_object({"kind": {"const": "circle"}, "r": NUMBER}, "kind", "r"),
                an_object({"kind": {"const": "square"}, "a": NUMBER}, "kind", "a"),
            ]
        }
    },
    "shape",
)
X: JsonObject = {"x": {}}
BIG = 123456789012345678901234567890


def resolve(schema: JsonObject, arguments: JsonObject) -> ResolvedCall:
    function: JsonObject = {"name": "save_thing", "parameters": schema}
    tools = parse_tools([{"type": "function", "function": function}])
    return resolve_call(ToolCall("1", "save_thing", json.dumps(arguments)), "1", tools)


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (PERSON, {"person": {"name": "Ada"}}),
        (PERSON, {"person": {"name": "Ada", "age": None}}),
        (TREE, {"tree": {"v": 1, "kids": [{"v": 2, "kids": []}]}}),
        (an_object(X, "x"), {"x": {"value": "a"}}),
        (an_object(X, "x"), {"x": ["a", "b"]}),
        (an_object(X, "x"), {"x": None}),
        (
            an_object({"x": {"anyOf": [TEXT, an_object({"value": TEXT})]}}, "x"),
            {"x": {"value": "a"}},
        ),
        (an_object({"x": {"type": ["string", "null"]}}, "x"), {"x": None}),
        (an_object({"x": {"type": ["string", "array"]}}, "x"), {"x": ["a", "b"]}),
        (an_object({"x": {"enum": ["a", None]}}, "x"), {"x": None}),
        (an_object({"x": {"oneOf": [INTEGER, NUMBER]}}, "x"), {"x": 3}),
        (an_object({"s": TEXT}, "s"), {"s": "[1, 2]"}),
        (an_object({"s": TEXT}, "s"), {"s": '{"code": "x"}'}),
        (an_object({"s": TEXT}, "s"), {"s": "null"}),
        (an_object({"s": TEXT, "o": TEXT}, "s"), {"s": "", "o": ""}),
        (an_object({"s": TEXT}, "s"), {"s": "žluťoučký \u0000 🐎"}),
        (an_object({"n": INTEGER}, "n"), {"n": BIG}),
        (an_object({"id": INTEGER, "body": an_object({})}, "id"), {"id": 1, "body": {"t": "x"}}),
        ({"type": "object"}, {"data": {"x": 1}, "id": 7}),
        ({"type": "object", "additionalProperties": True}, {"arguments": {"x": 1}}),
        (an_object({}), {"payload": {"x": 1}}),
        (an_object({"text": TEXT}), {"message": "hi"}),
        (an_object({"text": TEXT}), {"message": "hi", "text": "x"}),
        ({"type": "object", "patternProperties": {"^x_": INTEGER}}, {"x_a": 1, "data": {"q": 1}}),
        (
            {"allOf": [an_object({"a": INTEGER}, "a"), an_object({"b": TEXT}, "b")]},
            {"a": 1, "b": "2"},
        ),
        (an_object({"a": INTEGER}, additionalProperties=False), {"a": 1, "why": "so"}),
    ],
)
def test_what_the_schema_takes_is_not_changed(schema: JsonObject, arguments: JsonObject) -> None:
    call = resolve(schema, arguments)
    assert (call.problem, call.arguments, call.repaired) == ("", arguments, ())


@pytest.mark.parametrize(
    ("schema", "arguments", "meant"),
    [
        (
            PERSON,
            {"person": '{"name": "Ada", "age": "36"}'},
            {"person": {"name": "Ada", "age": 36}},
        ),
        (
            PERSON,
            {"person": {"name": "Ada", "age": "null"}},
            {"person": {"name": "Ada", "age": None}},
        ),
        (TREE, {"tree": '{"v": 1, "kids": [{"v": "2"}]}'}, {"tree": {"v": 1, "kids": [{"v": 2}]}}),
        (SHAPES, {"shape": {"kind": "Circle", "r": "2"}}, {"shape": {"kind": "circle", "r": 2}}),
        (an_object({"xs": a_list(INTEGER)}, "xs"), {"xs": "[1, 2]"}, {"xs": [1, 2]}),
        (an_object({"xs": a_list(TEXT)}, "xs"), {"xs": "['a', 'b']"}, {"xs": ["a", "b"]}),
        (an_object({"xs": a_list(TEXT)}, "xs"), {"xs": "a"}, {"xs": ["a"]}),
        (an_object({"xs": a_list(INTEGER)}, "xs"), {"xs": ["1", 2, "3.0"]}, {"xs": [1, 2, 3]}),
        (
            an_object({"es": a_list(an_object({"a": TEXT}))}, "es"),
            {"es": {"a": "b"}},
            {"es": [{"a": "b"}]},
        ),
        (
            an_object({"es": a_list(an_object({"a": TEXT}))}, "es"),
            {"es": ['{"a": "b"}']},
            {"es": [{"a": "b"}]},
        ),
        (an_object({"n": NUMBER}, "n"), {"n": "2.5"}, {"n": 2.5}),
        (an_object({"n": INTEGER}, "n"), {"n": str(BIG)}, {"n": BIG}),
        (an_object({"b": BOOLEAN}, "b"), {"b": "True"}, {"b": True}),
        (an_object({"b": {"anyOf": [INTEGER, BOOLEAN]}}, "b"), {"b": "false"}, {"b": False}),
        (an_object({"a": TEXT, "n": INTEGER}, "a"), {"a": "x", "n": None}, {"a": "x"}),
        (an_object({"a": TEXT, "n": INTEGER}, "a"), {"a": "x", "n": "None"}, {"a": "x"}),
        (an_object({"o": an_object({"n": INTEGER})}), {"o": {"n": None}}, {"o": {}}),
        (an_object({"e": {"enum": ["celsius", "kelvin"]}}), {"e": "Celsius"}, {"e": "celsius"}),
        (
            an_object({"e": {"enum": ["in_progress", "done"]}}),
            {"e": "In Progress"},
            {"e": "in_progress"},
        ),
        (an_object({"e": {"enum": [1, 2]}}), {"e": "2"}, {"e": 2}),
        (an_object({"e": {"const": "v1"}}), {"e": "V1"}, {"e": "v1"}),
        (an_object({"zip": TEXT}, "zip"), {"zip": 12345}, {"zip": "12345"}),
        (an_object({"s": TEXT}, "s"), {"s": {"a": 1}}, {"s": '{"a": 1}'}),
        (an_object({"file_path": TEXT}, "file_path"), {"filePath": "a"}, {"file_path": "a"}),
        (an_object({"a": INTEGER}, additionalProperties=False), {"a": 1, "b": None}, {"a": 1}),
        ({"type": "object", "additionalProperties": INTEGER}, {"a": "1", "b": 2}, {"a": 1, "b": 2}),
        ({"type": "object", "patternProperties": {"^x_": INTEGER}}, {"x_a": "1"}, {"x_a": 1}),
        (an_object({"t": TEXT}, "t"), {"body": {"t": "x"}, "dry": True}, {"t": "x", "dry": True}),
        (
            an_object({"a": TEXT, "b": TEXT}, "a", "b"),
            {"input": {"a": "1"}, "b": "2"},
            {"a": "1", "b": "2"},
        ),
        (an_object({"a": TEXT}, "a"), {"name": "save_thing", "arguments": {"a": "1"}}, {"a": "1"}),
        (an_object({"a": TEXT}), {"arguments": {"a": "1"}}, {"a": "1"}),
    ],
)
def test_what_the_schema_does_not_take_is_repaired(
    schema: JsonObject, arguments: JsonObject, meant: JsonObject
) -> None:
    call = resolve(schema, arguments)
    assert (call.problem, call.arguments) == ("", meant)
    assert call.repaired


def test_a_whole_number_arrives_without_a_point() -> None:
    call = resolve(an_object({"n": INTEGER}, "n"), {"n": 3.0})
    assert json.dumps(call.arguments) == '{"n": 3}'


@pytest.mark.parametrize(
    ("schema", "arguments", "words"),
    [
        (an_object({"n": INTEGER}, "n"), {"n": "many"}, ('n: "many" came', "must be integer")),
        (an_object({"n": INTEGER}, "n"), {"n": 3.7}, ("n: 3.7 came", "must be integer")),
        (an_object({"n": INTEGER}, "n"), {"n": True}, ("n: true came", "must be integer")),
        (an_object({"s": TEXT}, "s"), {"s": ["a", "b"]}, ('s: ["a", "b"] came', "must be string")),
        (an_object({"e": {"enum": ["a", "b"]}}), {"e": "c"}, ('e: "c" came', '"a" or "b"')),
        (PERSON, {"person": {"age": 3}}, ("person: name is missing",)),
        (TREE, {"tree": {"v": 1, "kids": [{"v": "x"}]}}, ('tree.kids[0].v: "x" came',)),
        (SHAPES, {"shape": {"kind": "line"}}, ("shape: ", "object with kind, r")),
        (an_object({"xs": a_list(TEXT)}, "xs"), {"xs": "[1, 2"}, ('xs: "[1, 2" came', "array")),
        (an_object({"n": {"minimum": 5}}), {"n": 3}, ("n: 3 came", "minimum of 5")),
        (an_object({"t": TEXT}, "t"), {"u": 1}, ("missing argument: t",)),
    ],
)
def test_what_has_no_other_reading_is_refused_with_path_value_and_choice(
    schema: JsonObject, arguments: JsonObject, words: tuple[str, ...]
) -> None:
    problem = resolve(schema, arguments).problem
    assert [word for word in words if word not in problem] == []


@pytest.mark.parametrize(
    "schema",
    [
        an_object({"x": ref("Nowhere")}, "x"),
        an_object({"x": {"$ref": "https://example.com/schema.json"}}, "x"),
        an_object({"x": ref("A")}, "x", **defs({"A": ref("A")})),
        {"type": "object", "properties": {"x": {"type": "string", "required": True}}},
        an_object({"x": {"type": "any"}}, "x"),
        an_object({"x": {"patternProperties": {r"\p{L}": TEXT}}}, "x"),
    ],
)
def test_a_broken_schema_costs_one_line_in_the_log_and_no_call(
    schema: JsonObject, caplog: pytest.LogCaptureFixture
) -> None:
    arguments: JsonObject = {"x": {"a": 1}}
    named = {**schema, "title": str(id(caplog))}  # one line for each schema, told once
    with caplog.at_level(logging.WARNING):
        calls = [resolve(named, arguments) for _ in range(3)]
    assert [(call.problem, call.arguments) for call in calls] == [("", arguments)] * 3
    assert len(caplog.records) <= 1


def test_a_schema_of_draft_4_is_understood() -> None:
    schema: JsonObject = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 0, "exclusiveMinimum": True}},
    }
    assert resolve(schema, {"n": "4"}).arguments == {"n": 4}
    assert "n: 0 came" in resolve(schema, {"n": 0}).problem


def test_a_long_list_of_texts_is_repaired_in_a_moment() -> None:
    schema = an_object({"xs": a_list(INTEGER)}, "xs")
    call = resolve(schema, {"xs": [str(number) for number in range(3000)]})
    assert call.arguments == {"xs": [*range(3000)]}
