"""The picture of a session in the docs is what a terminal shows."""

from __future__ import annotations

from tests.coding.example_session import (
    PICTURE,
    draw_svg,
    extract_words,
    run_example,
)
from tests.coding.harness import Harness


def test_the_picture_shows_the_session_as_it_goes(harness: Harness) -> None:
    session = draw_svg(run_example(harness))
    assert extract_words(PICTURE.read_text()) == extract_words(session), (
        "make it anew: -m tests.coding.example_session"
    )


def test_the_picture_loads_nothing() -> None:
    assert "url(" not in PICTURE.read_text().replace("url(#", "")
