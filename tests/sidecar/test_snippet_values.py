"""What a program says of its values is text of a stranger."""

from __future__ import annotations

import json

import pytest
from pydantic import JsonValue

from codex_sidecar.runner.output import MAX_VALUES_BYTES, SnippetValues, parse_values
from mini_agent.sandbox import Rich


def test_a_value_and_what_can_be_shown_of_it_are_taken_over() -> None:
    said = {
        "result_repr": "1",
        "rich": [
            {"media_type": "text/html", "text": "<b>"},
            {"media_type": "image/png", "base64": "AA=="},
        ],
        "skipped": [],
    }
    assert parse_values(json.dumps(said).encode()) == SnippetValues(
        result_repr="1",
        rich=(
            Rich(media_type="text/html", text="<b>"),
            Rich(media_type="image/png", base64="AA=="),
        ),
    )


@pytest.mark.parametrize(
    "rich",
    [
        {"media_type": "text/html"},
        {"media_type": "text/html", "text": "a", "base64": "AA=="},
        {"media_type": "image/png", "base64": "no base64"},
        {"media_type": "text/html\r\nX: y", "text": "a"},
        {"media_type": "text/html", "text": "a", "more": 1},
    ],
)
def test_media_of_no_form_are_no_value(rich: JsonValue) -> None:
    said = {"result_repr": "1", "rich": [rich], "cut": False}
    assert parse_values(json.dumps(said).encode()) == SnippetValues()


def test_values_that_come_line_by_line_are_put_together() -> None:
    figure = {"media_type": "image/png", "base64": "AA=="}
    lines = [{"rich": [figure]}, {"result_repr": "1", "rich": [figure], "skipped": ["3 of 4"]}, {}]
    body = "\n".join(map(json.dumps, lines)).encode()
    values = parse_values(body + b'\n{"half of a li')
    assert (values.result_repr, len(values.rich), values.skipped) == ("1", 2, ("3 of 4",))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"result_repr": 1}',
        b'{"result_repr": "\\ud800"}',
        b'{"exit_code": 0}',
        json.dumps({"rich": [{"media_type": "text/html", "text": "a"}] * 65}).encode(),
        b" " * MAX_VALUES_BYTES + b"{}",
    ],
)
def test_what_is_not_well_formed_is_no_value(body: bytes) -> None:
    assert parse_values(body) == SnippetValues()
