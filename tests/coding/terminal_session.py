"""The assistant in a terminal of tmux, ready to be talked to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mini_agent.testing import ScriptedServer
from mini_agent.testing.script import Script
from tests.coding.harness import PROGRAM, Desk, environment
from tests.coding.tmux import Tmux

# In the line below the prompt.
READY = "· /help"
MAY = "n no, or say what to do instead"


@contextmanager
def talking(desk: Desk, script: Script, *arguments: str) -> Iterator[Tmux]:
    """A session that waits for the user; at its end the script has to be used up."""
    with ScriptedServer(script) as server, talking_to(desk, server, *arguments) as terminal:
        terminal.until_last(READY)
        yield terminal


def talking_to(desk: Desk, server: ScriptedServer, *arguments: str) -> Tmux:
    """A session with a model of the test's own."""
    return Tmux([PROGRAM, *arguments], desk.project, environment(desk, server.openai_url))


def transcript(desk: Desk) -> str:
    (path,) = desk.sessions.glob("????????-*-????????????.jsonl")
    return path.read_text()
