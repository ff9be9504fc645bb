"""Whatever a tool answers becomes an output."""

from __future__ import annotations

import json

import pytest

from mini_agent.tools.invoker import ToolOutput, printed, refused
from mini_agent.tools.outputs import output_of


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        ("plain text", printed("plain text")),
        ("", printed("")),
        ("42", printed("42")),
        ("{not json", printed("{not json")),
        ('{"weather": "fine"}', printed('{"weather": "fine"}')),
        ('["ok"]', printed('["ok"]')),
        ('{"ok": true, "rc": 0, "stdout": "1\\n", "stderr": ""}', printed("1\n")),
        ('{"ok": true, "text": "found"}', printed("found")),
        ('{"ok": true, "answer": "found", "citations": []}', printed("found")),
        ('{"result": "found"}', printed("found")),
        (
            '{"ok": false, "rc": 1, "stdout": "a", "stderr": "b"}',
            ToolOutput(ok=False, rc=1, stdout="a", stderr="b"),
        ),
        (
            '{"ok": false, "rc": 2, "error": "rc=2: no"}',
            ToolOutput(ok=False, rc=2, stderr="rc=2: no", error="rc=2: no"),
        ),
        ('{"ok": false, "rc": null, "stderr": "timeout"}', refused("timeout")),
        ('{"ok": false, "error": "unknown tool"}', refused("unknown tool")),
        ('{"error": "no"}', refused("no")),
        ('{"ok": false}', refused("the tool failed without saying why")),
        ('{"ok": true, "rc": 7}', ToolOutput(ok=False, rc=7)),
        ({"ok": True, "stdout": "x"}, printed("x")),
        (None, refused("the tool answered with NoneType, not with text")),
        (b"x", refused("the tool answered with bytes, not with text")),
        ("a\ud800", printed("a?")),
        (printed("x"), printed("x")),
    ],
)
def test_an_answer_means_this(answer: object, output: ToolOutput) -> None:
    assert output_of(answer) == output


@pytest.mark.parametrize("wrap", [str, lambda text: json.dumps({"ok": True, "stdout": text})])
def test_of_ten_megabytes_the_end_is_kept(wrap: type[str]) -> None:
    output = output_of(wrap("x" * 10_000_000 + "the end"))
    assert output.ok
    assert len(output.stdout) == 65_536
    assert output.stdout.endswith("the end")
    assert output.note == "only the last 65536 characters of stdout were kept"


def test_json_too_deep_to_read_is_text() -> None:
    deep = '{"ok":' * 100_000
    assert output_of(deep).stdout == deep[-65_536:]
