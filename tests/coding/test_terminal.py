"""The assistant at a terminal: keys, and the screen as a person sees it."""

from __future__ import annotations

from collections.abc import Sequence

from mini_agent.messages import JsonObject
from mini_agent.testing import Call, ScriptedServer, call, calls
from mini_agent.testing.replies import ScriptedReply
from mini_agent.testing.script import Script
from tests.coding.harness import Harness, wait_until
from tests.coding.terminal_session import (
    PERMISSION_CHOICES,
    READY,
    open_terminal,
    open_terminal_to,
)
from tests.coding.test_hooks import hook, hook_for

GREEN, RED, USUAL_GROUND = "\x1b[32m", "\x1b[31m", "\x1b[49m"


def test_an_edit_is_made_when_the_user_agrees_to_its_diff(harness: Harness) -> None:
    path = harness.file("in/a.txt", "one\ntwo\n")
    harness.file("in/CLAUDE.md", "Use digits.")
    script: Script = [
        call("Read", file_path="in/a.txt"),
        call("Edit", file_path="in/a.txt", old_string="two", new_string="2"),
        "Changed.",
    ]
    with open_terminal(harness, script) as terminal:
        terminal.says("Change two.")
        asked = terminal.until(PERMISSION_CHOICES)
        assert ">> <system-reminder>" in asked
        assert ">> Read(in/a.txt) -> 1→one 2→two" in asked
        assert "Use digits." in asked
        coloured = terminal.coloured.replace(USUAL_GROUND, "")
        assert f"{RED}  -two" in coloured
        assert f"{GREEN}  +2" in coloured
        assert path.read_text() == "one\ntwo\n"
        terminal.says("y")
        terminal.until("< Changed.")
        assert "[20 input tokens, 10 response tokens]" in terminal.until_last(READY)
        terminal.presses("C-d")
        assert terminal.ended() == 0
    assert path.read_text() == "one\n2\n"


def test_what_the_user_says_instead_reaches_the_model(harness: Harness) -> None:
    harness.settings(hook("Notification", "cat > called", "permission_prompt"))
    with (
        ScriptedServer([call("Bash", command="touch made"), "I leave it."]) as server,
        open_terminal_to(harness, server) as terminal,
    ):
        terminal.until_last(READY)
        terminal.says("Make it.")
        terminal.until("Run this command? touch made")
        terminal.until(PERMISSION_CHOICES)
        called = harness.project / "called"
        terminal.wait_for(lambda: called.exists() and "touch made" in called.read_text(), "a hook")
        terminal.says("use another name")
        terminal.until("I leave it.")
    assert "use another name" in str(server.requests[-1].messages[-1]["content"])
    assert not (harness.project / "made").exists()


def test_always_is_asked_once(harness: Harness) -> None:
    script: Script = [
        calls(*(Call("Bash", {"command": "git status"}) for _ in range(2))),
        "Done.",
    ]
    with open_terminal(harness, script) as terminal:
        terminal.says("Look.")
        terminal.until(PERMISSION_CHOICES)
        terminal.says("a")
        assert terminal.until("Done.").count("Run this command?") == 1
    assert '"Bash(git status)"' in (harness.project / ".claude/settings.local.json").read_text()
    assert not harness.launch().is_trusted


def test_commands_are_answered_without_the_model(harness: Harness) -> None:
    harness.file(".claude/commands/greet.md", "---\ndescription: greets\n---\nGreet $ARGUMENTS.")
    with open_terminal(harness, ["Hello, Ada."]) as terminal:
        terminal.says("/help")
        assert "/greet" in terminal.until("Alt-Enter")
        terminal.until_last(READY)
        terminal.says("/nonsense")
        terminal.until("there is no command /nonsense")
        terminal.until_last(READY)
        terminal.says("/greet Ada")
        terminal.until("< Hello, Ada.")
        terminal.until_last(READY)
        terminal.says("/exit")
        assert terminal.ended() == 0


def test_a_session_can_be_left_and_taken_up_again(harness: Harness) -> None:
    groups: JsonObject = {
        event: hook_for(f"grep -oE '(source|reason)\": \"[a-z_]+' >> {event}")
        for event in ("SessionStart", "SessionEnd")
    }
    harness.settings({"hooks": groups})
    with open_terminal(harness, ["First.", "Second."]) as terminal:
        terminal.says("One?")
        terminal.until("< First.")
        terminal.until_last(READY)
        terminal.says("/clear")
        terminal.until("[TRANSCRIPT", times=2)
        terminal.until_last(READY)
        terminal.says("/resume")
        terminal.until("One?", times=2)
        terminal.until_last(READY)
        terminal.says("/resume 1")
        terminal.until("[TRANSCRIPT", times=3)
        terminal.until_last(READY)
        terminal.says("Two?")
        terminal.until("< Second.")
        terminal.until_last(READY)
        terminal.presses("C-d")
        assert terminal.ended() == 0
    assert len(list(harness.sessions.glob("*.jsonl"))) == 1
    began = (harness.project / "SessionStart").read_text().split()[1::2]
    ended = (harness.project / "SessionEnd").read_text().split()[1::2]
    assert began == ['"startup', '"clear', '"resume']
    assert ended == ['"clear', '"resume', '"prompt_input_exit']


def test_lines_are_completed_remembered_and_may_be_several(harness: Harness) -> None:
    harness.file("source/parser.py", "")
    with ScriptedServer(["One.", "Two."]) as server, open_terminal_to(harness, server) as terminal:
        terminal.until_last(READY)
        terminal.types("Look at @sour")
        terminal.until("source/")
        terminal.presses("Tab")
        terminal.types("par")
        terminal.until("parser.py")
        terminal.presses("Tab")
        terminal.presses("M-Enter")
        terminal.says("and say what it does.")
        terminal.until("< One.")
        terminal.until_last(READY)
        terminal.presses("Up", "Up", "Enter")
        terminal.until("< Two.")
    asked = [str(request.messages[-1]["content"]) for request in server.requests]
    assert "Look at @source/parser.py\nand say what it does." in asked[0]
    assert asked[1].endswith("Look at @source/parser.py\nand say what it does.")


def test_keys_of_before_a_question_are_no_answer_and_those_of_before_a_prompt_are_kept(
    harness: Harness,
) -> None:
    def patient(messages: Sequence[JsonObject]) -> ScriptedReply | str:
        if messages[-1]["role"] != "tool" and len(messages) > 3:
            return "Two."
        name = "two" if messages[-1]["role"] == "tool" else "one"
        harness.file(f"asked-{name}", "")
        wait_until((harness.project / f"go-{name}").exists)
        return "One." if name == "two" else call("Bash", command="touch made")

    with open_terminal(harness, patient) as terminal:
        terminal.says("Make it.")
        terminal.wait_for((harness.project / "asked-one").exists, "the question")
        terminal.presses("Enter")
        harness.file("go-one", "")
        terminal.until(PERMISSION_CHOICES)
        terminal.says("n")
        terminal.wait_for((harness.project / "asked-two").exists, "the question")
        terminal.says("And then?")
        assert "stops)And" not in terminal.screen
        harness.file("go-two", "")
        shown = terminal.until("< Two.")
        assert shown.index("< One.") < shown.index("> And then?")
    assert not (harness.project / "made").exists()


def test_ctrl_c_empties_the_line_and_twice_leaves(harness: Harness) -> None:
    harness.settings({"permissions": {"defaultMode": "acceptEdits"}})
    with open_terminal(harness, []) as terminal:
        terminal.until_last("· acceptEdits")
        terminal.types("half a word")
        terminal.until("> half a word")
        terminal.presses("C-c")
        terminal.wait_for(lambda: terminal.screen.count("\n>") == 2, "another prompt")
        terminal.until_last(READY)
        terminal.presses("C-c")
        terminal.until("Ctrl-C again leaves")
        terminal.until_last(READY)
        terminal.presses("C-c")
        assert terminal.ended() == 0
