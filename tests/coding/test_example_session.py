"""The picture of a session in the docs is what a terminal shows."""

from __future__ import annotations

from tests.coding.harness import Desk
from tests.coding.example_session import (
    PICTURE,
    drawn,
    shown,
    words,
)


def test_the_picture_shows_the_session_as_it_goes(desk: Desk) -> None:
    session = drawn(shown(desk))
    assert words(PICTURE.read_text()) == words(session), "make it anew: -m tests.coding.example_session"


def test_the_picture_loads_nothing() -> None:
    assert "url(" not in PICTURE.read_text().replace("url(#", "")
