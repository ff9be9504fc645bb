"""Values read from JSON and from what is nearly JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_bounded_json, parse_json

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.text(max_size=20), st.just(2.5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
OFTEN = settings(max_examples=300, deadline=None, derandomize=True)


def spaceless(value: object) -> object:
    """Keys lose the space around them."""
    if isinstance(value, dict):
        return {key.strip(): spaceless(inner) for key, inner in value.items()}
    return [spaceless(inner) for inner in value] if isinstance(value, list) else value


@OFTEN
@given(VALUES, st.booleans())
def test_json_is_read_as_it_is(value: JsonValue, ascii_only: bool) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only)
    read = parse_json(written)
    assert read.value == spaceless(value)
    assert read.end == len(written)


@OFTEN
@given(st.dictionaries(st.text(max_size=8), SCALARS, max_size=4))
def test_a_beginning_of_an_object_is_never_whole(value: dict[str, JsonValue]) -> None:
    written = json.dumps(value)
    for end in range(1, len(written)):
        read = parse_json(written[:end])
        assert not read.is_whole(read.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{'a': True, 'b': None, 'c': False}", {"a": True, "b": None, "c": False}),
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2,]", [1, 2]),
        ('{a: "x", b-c: 2}', {"a": "x", "b-c": 2}),
        ('{"a": "x" // why\n, /* and */ "b": 2 # so\n}', {"a": "x", "b": 2}),
        ('{"a": "x\ny"}', {"a": "x\ny"}),
        ('{"a": """x\n"y"\n"""}', {"a": 'x\n"y"\n'}),
        ('{"a": `x`}', {"a": "x"}),
        ('{"a": "\\d+"}', {"a": "\\d+"}),
        ("{'a': 'it\\'s'}", {"a": "it's"}),
        ('{"a": "say "hi" now"}', {"a": 'say "hi" now'}),
        ('{"a": "f("x", "y")", "b": 1}', {"a": 'f("x", "y")', "b": 1}),
        ('{"a" = 1}', {"a": 1}),
        ('{"a": "x" "b": 1}', {"a": "x", "b": 1}),
        ("{\u201ca\u201d: \u201cx\u201d}", {"a": "x"}),
        ('{"a": 1_000, "b": -2.5e3}', {"a": 1000, "b": -2500.0}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_what_is_nearly_json_is_read_as_it_is_meant(written: str, value: JsonValue) -> None:
    assert parse_json(written).value == value


@pytest.mark.parametrize(
    "written", ["", "words", "{a b}", "{1 2}", '{"a": words}', "[1 2]", "[" * 100, '{"a" "b"}']
)
def test_what_is_no_value_is_not_read(written: str) -> None:
    with pytest.raises(LenientJsonError):
        parse_json(written)


def test_brackets_missing_before_a_marker_are_no_cut() -> None:
    text = '{"a": {"b": 1}</end>'
    read = parse_bounded_json(text, 0, text.index("<"))
    assert (read.value, read.unclosed) == ({"a": {"b": 1}}, frozenset())


def test_a_string_missing_its_end_before_a_marker_is_one() -> None:
    text = '{"a": {"b": "x</end>'
    assert parse_bounded_json(text, 0, text.index("<")).is_cut
