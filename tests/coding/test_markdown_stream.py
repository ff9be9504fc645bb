"""Answers on a terminal: broken between words, whatever the pieces they come in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.text import Text

from mini_agent.coding.terminal.formatting import format_call
from mini_agent.coding.terminal.markdown_stream import MarkdownStream
from mini_agent.messages import JsonObject
from mini_agent.testing import ScriptedServer
from tests.coding.harness import Harness
from tests.coding.terminal_session import READY, open_terminal_to

WIDE = 10_000


def shown(pieces: Sequence[str], width: int, begun: int = 0) -> Text:
    whole = Text()

    def write(text: Text) -> None:
        whole.append_text(text)

    prose = MarkdownStream(write, lambda: width, begun)
    for piece in pieces:
        prose.add(piece)
    prose.close()
    return whole


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("one two\nthree four", ["one two", "three four"]),
        ("- one two three", ["- one two", "  three"]),
        ("  12. one two", ["  12. one", "      two"]),
        ("12345678901234 and", ["12345678901234 and"]),
        ("one 12345678901234", ["one 12345678901234"]),
        ("日本語日本語、 a", ["日本語日本", "語、 a"]),
        ("```\na long line of code\n```\none two three", ["```", "a long line of code", "```"]),
        ("| a | table | row |", ["| a | table | row |"]),
        ("a  b\n\n  c", ["a  b", "", "  c"]),
        ("1234567890 2", ["1234567890", "2"]),
    ],
)
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_lines_break_between_words(text: str, lines: Sequence[str], at_once: int) -> None:
    pieces = [text[i : i + at_once] for i in range(0, len(text), at_once)]
    assert shown(pieces, 10).plain.split("\n")[: len(lines)] == lines


def test_a_word_without_an_end_is_shown_as_it_comes() -> None:
    told: list[str] = []
    prose = MarkdownStream(lambda text: told.append(text.plain), lambda: 10, 0)
    for _ in range(9):
        prose.add("12345")
    assert "".join(told) == "12345" * 9
    prose.add("日本語")
    assert told[-1] == "日本"


def test_a_question_is_shown_by_its_words() -> None:
    asked: JsonObject = {"questions": [{"question": "Tabs?", "options": []}]}
    assert format_call("AskUserQuestion", asked) == "AskUserQuestion(Tabs?)"


def test_the_mark_of_an_answer_takes_room() -> None:
    assert shown(["one two x"], 10, begun=2).plain == "one two\nx"


def test_nothing_is_lost_and_nothing_broken_where_there_is_room() -> None:
    text = "# A\n\nb `c d` **e**\n\n\t- f\n```py\n  g  h\n```\n| i |\n\nj"
    assert shown(list(text), WIDE).plain == text


def test_marks_of_markdown_stay_and_are_set_apart() -> None:
    whole = shown(["# Head\nuse `a b` **now** 2 ** 3\n", "```\nx = 1\n```\n"], WIDE)
    styled = {whole.plain[span.start : span.end]: span.style for span in whole.spans}
    assert styled["Head"] == styled["now"] == "bold"
    assert styled["a"] == styled["b"] == styled["x"] == "cyan"
    assert "use" not in styled


def test_an_answer_breaks_between_words_at_a_terminal(harness: Harness) -> None:
    words = [f"word{number:02}" for number in range(40)]
    with ScriptedServer([" ".join(words)]) as server, open_terminal_to(harness, server) as terminal:
        terminal.until_last(READY)
        terminal.says("Say much.")
        terminal.until(words[-1])
        terminal.until_last(READY)
        lines = [line for line in terminal.screen.split("\n") if "word" in line]
    assert lines[0].startswith("< word00 ")
    assert len(lines) == 4
    assert [word for line in lines for word in line.removeprefix("< ").split()] == words
