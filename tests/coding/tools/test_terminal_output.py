"""Output as a terminal shows it: the last frame of what moves, without escapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_agent.coding.tools.terminal_output import TerminalOutput
from tests.coding.tools.conftest import ToolFixture

FRAMES = [
    ("10%\r20%\r100%\n", "100%\n"),
    ("a\r\nb\r\n", "a\nb\n"),
    ("Downloading 100%\rDone\n", "Done\n"),
    ("loading...\x1b[2K\rok\n", "ok\n"),
    ("loading...\r\x1b[Kok\n", "ok\n"),
    ("loading...\x1b[1G\x1b[0Kok\n", "ok\n"),
    ("waits\r", "waits"),
    ("a 1\nb 1\n\x1b[2A\x1b[2Ka 2\n\x1b[2Kb 2\nend\n", "a 2\nb 2\nend\n"),
    ("a 10%\nb 10%\n\x1b[2A\ra 99%\n\rb 99%\n", "a 99%\nb 99%\n"),
    ("a 10%\nb 10%\n\x1b[2Fa 99%\x1b[K\nb 99%\x1b[K\n", "a 99%\nb 99%\n"),
    ("a\nb\nc\n\x1b[3A\x1b[Jlast\n", "last\n"),
    ("#1 a\n#2 b\n\x1b[1A\x1b[1A\x1b[0G\x1b[?25l#1 done\n#2 done\n\x1b[?25h", "#1 done\n#2 done\n"),
    ("|\b/\b-\bdone\n", "done\n"),
    ("N\bNA\bA\n_\bx\n", "NA\nx\n"),
    ("one\n\x1b[H\x1b[2Jtwo\n", "two\n"),
    ("\n\x1b[?1049hfull screen\x1b[?1049l", "\nfull screen"),
    ("name\x1b[8G[ OK ]\n", "name   [ OK ]\n"),
    ("ab\x1b[3Ccd\n", "ab   cd\n"),
    ("\x1b[1;31mred\x1b[0m \x1b[38;5;196mx\x1b[38:2::1:2:3my\x1b[m\n", "red xy\n"),
    ("\x1b]0;title\x07hi \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "hi link\n"),
    ("\x1bPq#0\x1b\\a\x1b(B\x1b7\x1b8\x1b=b\a\n", "ab\n"),
    ("\x1b]0;never ends\nline\n", "\nline\n"),
    ("\x9b31mred\x9b0m\n", "red\n"),
    ("plain\n\n\ttext\n\nno end", "plain\n\n\ttext\n\nno end"),
    ("x\x1b", "x"),
]


def show(*pieces: str) -> str:
    """Return what is shown of output that comes in these pieces."""
    screen = TerminalOutput()
    return "".join([*map(screen.feed, pieces), screen.finish()])


@pytest.mark.parametrize(("written", "shown"), FRAMES)
def test_what_moves_is_shown_as_it_stands_at_the_end(written: str, shown: str) -> None:
    assert show(written) == shown


@pytest.mark.parametrize(("written", "shown"), FRAMES)
def test_it_does_not_matter_where_the_output_is_cut_in_pieces(written: str, shown: str) -> None:
    assert show(*written) == shown
    for place in range(len(written)):
        assert show(written[:place], written[place:]) == shown


@given(st.lists(st.text(alphabet="ab \n\tü"), max_size=6))
def test_plain_text_stays_as_it_is(pieces: list[str]) -> None:
    assert show(*pieces) == "".join(pieces)


@given(st.text(alphabet="a\x1b[]\\;0129ABCGHJKfm\r\n\b\a\x9bPX", max_size=60))
def test_no_output_leaves_an_escape_or_breaks_it(written: str) -> None:
    shown = show(*written)
    assert not {"\x1b", "\x9b", "\r", "\b", "\a"} & {*shown}


def test_thousands_of_lines_and_one_of_megabytes_pass() -> None:
    lines = "".join(f"{number}\n" for number in range(5000))
    assert show(lines, "\x1b[31mred\x1b[m") == f"{lines}red"
    assert show(*("x" * 1000 for _ in range(1000))) == "x" * 1_000_000


async def test_a_progress_bar_of_megabytes_leaves_room_for_the_rest(tools: ToolFixture) -> None:
    frames = (
        "i=0; while [ $i -lt 20000 ]; do printf '\\r%d of many, please wait' $i; i=$((i+1)); done"
    )
    told = await tools.text("Bash", command=f"echo first; {frames}; echo; echo last")
    assert told == "first\n19999 of many, please wait\nlast"


async def test_in_the_background_the_frame_of_now_is_shown(tools: ToolFixture) -> None:
    command = "printf '1%%\\r2%%\\r3%%'; : >there; while [ ! -e go ]; do sleep 0.02; done; echo"
    await tools.text("Bash", command=command, run_in_background=True)
    await tools.text("Bash", command="while [ ! -e there ]; do sleep 0.02; done; sleep 0.2")
    assert "<stdout>\n3%\n</stdout>" in await tools.text("BashOutput", bash_id="bash_1")


async def test_colours_and_links_are_left_out(tools: ToolFixture) -> None:
    told = await tools.text("Bash", command="printf '\\033[31mred\\033[0m\\n'; ls --color=always /")
    assert "\x1b" not in told
    assert told.startswith("red\n")
