"""Opens the assistant in a tmux terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mini_agent.testing import ScriptedServer
from mini_agent.testing.script import Script
from tests.coding.harness import PROGRAM, Harness, build_environment
from tests.coding.tmux import Tmux

# Shown in the toolbar below the prompt.
READY = "· /help"
PERMISSION_CHOICES = "n no, or say what to do instead"


@contextmanager
def open_terminal(harness: Harness, script: Script, *arguments: str) -> Iterator[Tmux]:
    """Open a session at its prompt; at the end the script must be used up."""
    with (
        ScriptedServer(script) as server,
        open_terminal_to(harness, server, *arguments) as terminal,
    ):
        terminal.until_last(READY)
        yield terminal


def open_terminal_to(harness: Harness, server: ScriptedServer, *arguments: str) -> Tmux:
    """Open a session with a given model server."""
    return Tmux(
        [PROGRAM, *arguments], harness.project, build_environment(harness, server.openai_url)
    )


def read_transcript_text(harness: Harness) -> str:
    (path,) = harness.sessions.glob("????????-*-????????????.jsonl")
    return path.read_text()
