"""Reasoning is split from text."""

from __future__ import annotations

import pytest

from mini_agent.tool_parsing.reply import split_reasoning


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("42", "42", ""),
        ("<think>a</think>42", "42", "a"),
        ("<think>a\nb</think>\n\n42\n", "42", "a\nb"),
        ("<thinking>a</thinking>42", "42", "a"),
        ("<THINK>a</THINK>42", "42", "a"),
        ("a</think>42", "42", "a"),
        ("<think>a", "", "a"),
        ("4<think>a</think>2<think>b</think>", "42", "a\nb"),
        ("<think></think>", "", ""),
        ("", "", ""),
    ],
)
def test_thoughts_are_taken_out_of_the_text(text: str, said: str, thought: str) -> None:
    assert split_reasoning(text) == (said, thought)
