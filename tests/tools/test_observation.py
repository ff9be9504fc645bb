"""The tool message, letter by letter: the demo model is trained on it."""

from __future__ import annotations

import pytest

from mini_agent.tools.invoker import ToolOutput, error_output, text_output
from mini_agent.tools.observation import format_observation

FAILED = "The call failed. Fix the cause and call the tool again."
TIMED_OUT = (
    "hint: it was stopped at its time limit: look for an endless loop, do less work, or pass a "
    "larger timeout_s"
)
TOO_BIG = "hint: it needed more memory: keep less at a time"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (text_output("a3b2c1\n"), "[t rc=0]\nstdout:\na3b2c1"),
        (text_output("a\n\n"), "[t rc=0]\nstdout:\na\n"),
        (text_output(""), "[t rc=0]\n(no output)"),
        (text_output("\n"), "[t rc=0]\n(no output)"),
        (
            ToolOutput(ok=True, rc=0, stdout="a\n", stderr="b\n"),
            "[t rc=0]\nstdout:\na\nstderr:\nb",
        ),
        (ToolOutput(ok=True, rc=0, result="42"), "[t rc=0]\nresult:\n42"),
        (ToolOutput(ok=True, rc=0, stdout="a\n", result="42"), "[t rc=0]\nstdout:\na"),
        (
            ToolOutput(ok=True, rc=0, stderr="b", result="42"),
            "[t rc=0]\nstderr:\nb\nresult:\n42",
        ),
        (ToolOutput(ok=False, rc=3), f"[t rc=3]\n(no output)\n{FAILED}"),
        (
            ToolOutput(ok=False, rc=124, status="timeout", stdout="a"),
            f"[t rc=124 timeout]\nstdout:\na\n{TIMED_OUT}\n{FAILED}",
        ),
        (
            ToolOutput(ok=False, rc=137, status="oom"),
            f"[t rc=137 oom]\n(no output)\n{TOO_BIG}\n{FAILED}",
        ),
        (error_output("it is busy"), f"[t error]\nit is busy\n{FAILED}"),
        (
            ToolOutput(ok=True, rc=0, stdout="a", note="timeout_s 900 is out of range"),
            "[t rc=0]\nstdout:\na\nnote: timeout_s 900 is out of range",
        ),
    ],
)
def test_an_output_reads_like_this(output: ToolOutput, text: str) -> None:
    assert format_observation("t", output) == text


def test_of_a_long_stream_head_and_tail_are_shown_and_its_length_told() -> None:
    text = format_observation("t", text_output("x" * 3000 + "y" * 2000))
    header = "[t rc=0]\nstdout (head and tail of 5000 characters):"
    left_out = "[... 3000 characters were left out ...]"
    assert text == f"{header}\n{'x' * 1000}\n{left_out}\n{'y' * 1000}"


def test_how_much_of_a_stream_is_shown_can_be_set() -> None:
    text = format_observation("t", text_output("x" * 300 + "y" * 300), most=200)
    assert text.count("x") == text.removeprefix("[t rc=0]\nstdout").count("y") == 100


def test_a_stream_of_just_the_length_is_shown_whole() -> None:
    assert (
        format_observation("t", text_output("y" * 2000 + "\n"))
        == f"[t rc=0]\nstdout:\n{'y' * 2000}"
    )


def test_without_a_directive_a_failure_ends_with_what_happened() -> None:
    assert format_observation("t", error_output("it is busy"), "") == "[t error]\nit is busy"
