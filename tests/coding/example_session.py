"""The session shown in docs/assistant.md and its picture: python -m tests.coding.example_session"""

from __future__ import annotations

import re
import tempfile
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from mini_agent.testing import Call, ScriptedServer, Tokens, calls, text
from mini_agent.testing.script import Script
from tests.coding.harness import Harness
from tests.coding.terminal_session import PERMISSION_CHOICES, READY, open_terminal_to
from tests.coding.tmux import COLUMNS, Tmux

PICTURE: Final = Path(__file__).parents[2] / "docs/assistant.svg"
LINE: Final = '    return "".join(c if c.isalnum() else "-" for c in title.lower())\n'
INSTEAD: Final = """\
    words = "".join(c if c.isalnum() else " " for c in title.lower())
    return "-".join(words.split())
"""
SLUGS: Final = f"def slug(title: str) -> str:\n{LINE}"
TESTS: Final = """\
from slugs import slug

assert slug("Hello World") == "hello-world"
assert slug("C & C++") == "c-c"
print("2 tests passed")
"""
SCRIPT: Final[Script] = [
    calls(
        Call("Read", {"file_path": "slugs.py"}),
        content="I look at the function first.",
        tokens=Tokens(2310, 58),
    ),
    calls(
        Call("Edit", {"file_path": "slugs.py", "old_string": LINE, "new_string": INSTEAD}),
        tokens=Tokens(2544, 96, 2304),
    ),
    calls(Call("Bash", {"command": "python3 test_slugs.py"}), tokens=Tokens(2718, 31, 2432)),
    text(
        "slugs.py:2 made a dash of every other character. Now each run of them is one dash, and "
        "none stands at the end. Both tests pass.",
        tokens=Tokens(2790, 44, 2688),
    ),
]


def run_example(harness: Harness) -> str:
    """Run the session; return the terminal's text with colours and neutral paths."""
    harness.file("slugs.py", SLUGS)
    harness.file("test_slugs.py", TESTS)
    with ScriptedServer(SCRIPT) as server, open_terminal_to(harness, server) as terminal:
        terminal.until_last(READY)
        terminal.says("Titles like C & C++ become c---c--. Mend that, and run the tests.")
        _answered(terminal, 1, "y")
        _answered(terminal, 2, "a")
        terminal.until("Both tests pass.")
        terminal.until_last(READY)
        terminal.says("/cost")
        terminal.until("the price is not known")
        terminal.until_last(READY)
        terminal.presses("C-d")
        terminal.ended()
        return _of_nobody(terminal.coloured, harness)


def draw_svg(session: str) -> str:
    """Draw the session as SVG without external resources."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(session))
    own = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="mini-agent", code_format=own, unique_id="session")


def extract_words(picture: str) -> str:
    """Extract the text of an SVG."""
    return " ".join(
        unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", picture, flags=re.DOTALL)).split()
    )


def _answered(terminal: Tmux, times: int, word: str) -> None:
    terminal.until(PERMISSION_CHOICES, times)
    terminal.says(word)


def _of_nobody(session: str, harness: Harness) -> str:
    session = session.replace(str(harness.project), "/home/me/slugs").replace(
        str(harness.home), "/home/me"
    )
    named = re.sub(r"projects/[^/]*/[0-9a-f-]{36}", "projects/-home-me-slugs/4f0c1d2e-...", session)
    return "\n".join(line for line in named.split("\n") if "Pane is dead" not in line).rstrip()


def main() -> None:
    """Draw the picture again."""
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder, "p"), Path(folder, "h"))
        harness.project.mkdir()
        harness.home.mkdir()
        PICTURE.write_text(draw_svg(run_example(harness)))


if __name__ == "__main__":
    main()
