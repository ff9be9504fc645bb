"""Whatever a tool answers becomes an output."""

from __future__ import annotations

import json

import pytest

from mini_agent.tools.invoker import ToolOutput, error_output, text_output
from mini_agent.tools.outputs import parse_output


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        ("plain text", text_output("plain text")),
        ("", text_output("")),
        ("42", text_output("42")),
        ("{not json", text_output("{not json")),
        ('{"weather": "fine"}', text_output('{"weather": "fine"}')),
        ('["ok"]', text_output('["ok"]')),
        ('{"ok": true, "rc": 0, "stdout": "1\\n", "stderr": ""}', text_output("1\n")),
        ('{"ok": true, "text": "found"}', text_output("found")),
        ('{"ok": true, "answer": "found", "citations": []}', text_output("found")),
        ('{"result": "found"}', text_output("found")),
        (
            '{"ok": false, "rc": 1, "stdout": "a", "stderr": "b"}',
            ToolOutput(ok=False, rc=1, stdout="a", stderr="b"),
        ),
        (
            '{"ok": false, "rc": 2, "error": "rc=2: no"}',
            ToolOutput(ok=False, rc=2, stderr="rc=2: no", error="rc=2: no"),
        ),
        ('{"ok": false, "rc": null, "stderr": "timeout"}', error_output("timeout")),
        ('{"ok": false, "error": "unknown tool"}', error_output("unknown tool")),
        ('{"error": "no"}', error_output("no")),
        ('{"ok": false}', error_output("the tool failed without saying why")),
        ('{"ok": true, "rc": 7}', ToolOutput(ok=False, rc=7)),
        ({"ok": True, "stdout": "x"}, text_output("x")),
        (None, error_output("the tool answered with NoneType, not with text")),
        (b"x", error_output("the tool answered with bytes, not with text")),
        ("a\ud800", text_output("a?")),
        (text_output("x"), text_output("x")),
    ],
)
def test_an_answer_means_this(answer: object, output: ToolOutput) -> None:
    assert parse_output(answer) == output


@pytest.mark.parametrize("wrap", [str, lambda text: json.dumps({"ok": True, "stdout": text})])
def test_of_ten_megabytes_head_and_tail_are_kept(wrap: type[str]) -> None:
    output = parse_output(wrap("the start" + "x" * 10_000_000 + "the end"))
    assert output.ok
    assert len(output.stdout) < 65_600
    assert output.stdout.startswith("the start")
    assert output.stdout.endswith("the end")
    assert output.note == "only 65536 characters of stdout were kept, of both ends"


def test_json_too_deep_to_read_is_text() -> None:
    deep = '{"ok":' * 100_000
    assert parse_output(deep).stdout.startswith(deep[:32_768])
    assert parse_output(deep).stdout.endswith(deep[-32_768:])
