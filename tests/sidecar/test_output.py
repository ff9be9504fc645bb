"""A stream of output within its limit: the beginning, the end, and what is said of the gap."""

from __future__ import annotations

import pytest

from codex_sidecar.runner.output import BoundedOutput


def kept(limit: int, *pieces: bytes) -> tuple[str, str]:
    """What is kept of the pieces, and what of it a listener was given."""
    output = BoundedOutput(limit)
    streamed = b"".join(output.add(piece) for piece in pieces) + output.close()
    return output.text(), streamed.decode(errors="replace")


@pytest.mark.parametrize("limit", [1, 10, 1023, 1024, 5000, 65_536])
def test_output_that_fits_is_whole(limit: int) -> None:
    content = bytes(range(32, 96)) * (limit // 64 + 1)
    text, streamed = kept(limit, *(content[at : at + 7] for at in range(0, limit - limit % 7, 7)))
    assert text == streamed == content[: limit - limit % 7].decode()


def test_of_longer_output_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() -> None:
    lines = [f"line {number}\n".encode() for number in range(1000)]
    text, streamed = kept(2000, *lines)
    first, rest = text.split("\n[... ")
    missing, last = rest.split(" bytes are left out here ...]\n")
    assert text == streamed
    assert first.startswith("line 0\nline 1\n")
    assert last.endswith("line 998\nline 999\n")
    assert len(first) + int(missing) + len(last) == sum(map(len, lines))
    assert len(text) <= 2000


def test_a_small_limit_keeps_the_beginning_alone() -> None:
    assert kept(5, b"abc", b"defgh", b"i") == ("abcde", "abcde")


@pytest.mark.parametrize("limit", range(2000, 2004))
def test_no_character_is_cut_in_half(limit: int) -> None:
    text, streamed = kept(limit, "ä€😀".encode() * 1000)
    assert text == streamed
    assert "\ufffd" not in text
