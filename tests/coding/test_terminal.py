"""The assistant at a terminal, keys and screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mini_agent.testing import Call, ScriptedServer, call, calls, hang
from mini_agent.testing.script import Script
from tests.coding.desk import Desk, environment
from tests.coding.pseudo_terminal import CTRL_C, CTRL_D, SHIFT_TAB, PseudoTerminal

# The line below the prompt.
READY = "· /help"
PROGRAM = str(Path(sys.executable).with_name("mini-agent"))


@contextmanager
def talking(desk: Desk, script: Script, *arguments: str) -> Iterator[PseudoTerminal]:
    with (
        ScriptedServer(script) as server,
        PseudoTerminal(
            [PROGRAM, *arguments], desk.project, environment(desk, server.openai_url)
        ) as terminal,
    ):
        terminal.until(READY)
        yield terminal


def test_an_edit_is_made_when_the_user_agrees_to_its_diff(desk: Desk) -> None:
    desk.file("a.txt", "one\ntwo\n")
    script: Script = [
        call("Read", file_path="a.txt"),
        call("Edit", file_path="a.txt", old_string="two", new_string="2"),
        "Changed.",
    ]
    with talking(desk, script) as terminal:
        terminal.send("Change two.\r")
        asked = terminal.until("n no, or say what to do instead")
        assert "-two" in asked
        assert "+2" in asked
        assert (desk.project / "a.txt").read_text() == "one\ntwo\n"
        terminal.send("y\r")
        terminal.until("Changed.")
        terminal.until(READY)
        terminal.send(CTRL_D)
        assert terminal.ended() == 0
    assert (desk.project / "a.txt").read_text() == "one\n2\n"


def test_what_the_user_says_instead_reaches_the_model(desk: Desk) -> None:
    with ScriptedServer([call("Bash", command="touch made"), "I leave it."]) as server:
        variables = environment(desk, server.openai_url)
        with PseudoTerminal([PROGRAM], desk.project, variables) as terminal:
            terminal.until(READY)
            terminal.send("Make it.\r")
            terminal.until("Run this command? touch made")
            terminal.send("use another name\r")
            terminal.until("I leave it.")
    assert "use another name" in str(server.requests[-1].messages[-1]["content"])
    assert not (desk.project / "made").exists()


def test_always_is_asked_once(desk: Desk) -> None:
    script: Script = [
        calls(Call("Bash", {"command": "git status"}), Call("Bash", {"command": "git status -s"})),
        "Done.",
    ]
    with talking(desk, script) as terminal:
        terminal.send("Look.\r")
        terminal.until("Run this command? git status")
        terminal.send("a\r")
        shown = terminal.until("Done.")
        assert "Run this command?" not in shown
    assert "Bash(git status *)" in (desk.project / ".claude/settings.local.json").read_text()
    assert desk.ground().is_trusted


def test_ctrl_c_stops_the_turn_and_keeps_the_session(desk: Desk) -> None:
    with ScriptedServer([hang(), "Here I am."]) as server:
        variables = environment(desk, server.openai_url)
        with PseudoTerminal([PROGRAM], desk.project, variables) as terminal:
            terminal.until(READY)
            terminal.send("Hello?\r")
            terminal.wait_for(lambda: bool(server.requests))
            terminal.send(CTRL_C)
            terminal.until("the session goes on")
            terminal.until(READY)
            terminal.send("Again?\r")
            terminal.until("Here I am.")
    (transcript,) = desk.sessions.glob("*.jsonl")
    assert "[Request interrupted by user]" in transcript.read_text()


def test_plan_mode_is_a_key_away_and_changes_nothing(desk: Desk) -> None:
    script: Script = [
        call("Write", file_path="new.txt", content="x"),
        call("ExitPlanMode", plan="Write new.txt."),
        call("Write", file_path="new.txt", content="x"),
        "Written.",
    ]
    with talking(desk, script) as terminal:
        terminal.send(f"{SHIFT_TAB}{SHIFT_TAB}")
        terminal.until("plan")
        terminal.send("Make new.txt.\r")
        terminal.until("y carry it out")
        assert not (desk.project / "new.txt").exists()
        terminal.send("y\r")
        terminal.until("n no, or say")
        terminal.send("y\r")
        terminal.until("Written.")
    assert (desk.project / "new.txt").read_text() == "x"


def test_commands_are_answered_without_the_model(desk: Desk) -> None:
    desk.file(".claude/commands/greet.md", "---\ndescription: greets\n---\nGreet $ARGUMENTS.")
    with talking(desk, ["Hello, Ada."]) as terminal:
        terminal.send("/help\r")
        assert "/greet" in terminal.until("Alt-Enter")
        terminal.until(READY)
        terminal.send("/cost\r")
        terminal.until("0 response tokens")
        terminal.until(READY)
        terminal.send("/nonsense\r")
        terminal.until("there is no command /nonsense")
        terminal.until(READY)
        terminal.send("/greet Ada\r")
        terminal.until("Hello, Ada.")
        terminal.until(READY)
        terminal.send("/exit\r")
        assert terminal.ended() == 0


def test_a_session_can_be_left_and_taken_up_again(desk: Desk) -> None:
    with talking(desk, ["One.", "Two."]) as terminal:
        terminal.send("One?\r")
        terminal.until("One.")
        terminal.until(READY)
        terminal.send("/clear\r")
        terminal.until("[TRANSCRIPT")
        terminal.until(READY)
        terminal.send("/resume\r")
        terminal.until("1  ")
        terminal.until(READY)
        terminal.send("/resume 1\r")
        terminal.until("[TRANSCRIPT")
        terminal.until(READY)
        terminal.send("Two?\r")
        terminal.until("Two.")
    assert len(list(desk.sessions.glob("*.jsonl"))) == 1
