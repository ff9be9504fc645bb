"""Tokens estimated, one way for all who ask."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from mini_agent.agent.context_window import TokenCounter, estimate_tokens, estimate_tokens_for_size
from mini_agent.coding.terminal.screen import Screen
from mini_agent.events import ToolStarted

TEXTS = [
    "for each in range(10): print(each)\n" * 50,
    "grün, größer " * 50,
    "日本語" * 50,
    "🎈" * 99,
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_in_pieces_has_the_tokens_of_the_whole(text: str) -> None:
    counter = TokenCounter()
    for character in text:
        counter.add(character)
    assert counter.tokens == estimate_tokens(text) > 0


def test_a_file_of_ascii_is_estimated_by_its_size_as_by_its_text() -> None:
    assert estimate_tokens_for_size(len(TEXTS[0])) == estimate_tokens(TEXTS[0])


def test_the_terminal_counts_an_answer_as_the_loop_does() -> None:
    said, written = "日本語, and so on", StringIO()
    screen = Screen(Console(file=written, force_terminal=True, width=200))
    screen.begin()
    for piece in said:
        screen.on_text(piece)
    screen.pause()
    screen.on_event(ToolStarted(iteration=1, tool_call_id="c", name="LS", arguments={}))
    screen.pause()
    assert f" · {estimate_tokens(said)} tokens · " in written.getvalue()
