"""Turns at a terminal: stopped, planned, in the background, by agents, taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mini_agent.messages import JsonObject
from mini_agent.testing import Call, ScriptedServer, call, calls, hang
from mini_agent.testing.replies import ScriptedReply
from mini_agent.testing.script import Script
from tests.coding.harness import PROGRAM, Harness, build_environment
from tests.coding.terminal_session import (
    PERMISSION_CHOICES,
    READY,
    open_terminal,
    open_terminal_to,
    read_transcript_text,
)
from tests.coding.tmux import Tmux

DEFAULT: Final = {"subagent_type": "default-agent"}


def test_ctrl_c_and_esc_stop_the_turn_and_keep_the_session(harness: Harness) -> None:
    script: Script = [hang(), call("Bash", command="touch begun; sleep 100"), "Here I am."]
    may = ("--permission-mode", "bypassPermissions")
    with ScriptedServer(script) as server, open_terminal_to(harness, server, *may) as terminal:
        terminal.until_last(READY)
        terminal.says("Hello?")
        terminal.until("thinking (")
        terminal.wait_for(lambda: bool(server.requests), "the question")
        terminal.presses("C-c")
        terminal.until("stopped; the session goes on")
        terminal.until_last(READY)
        terminal.says("Wait.")
        terminal.wait_for((harness.project / "begun").exists, "the command")
        terminal.until("Bash(touch begun; sleep 100) (")
        terminal.presses("Escape")
        terminal.until("stopped; the session goes on", times=2)
        terminal.until_last(READY)
        terminal.says("Again?")
        terminal.until("< Here I am.")
        terminal.until_last(READY)
    written = read_transcript_text(harness)
    assert written.count("[Request interrupted by user]") == 1
    # Once as what came of the call, once as what the user said.
    assert written.count('"[Request interrupted by user for tool use]"') == 2


def test_keys_are_heard_again_by_a_turn_that_was_stopped_by_the_shell(harness: Harness) -> None:
    with (
        ScriptedServer([hang()]) as server,
        Tmux(
            ["bash", "--norc", "--noprofile"],
            harness.project,
            build_environment(harness, server.openai_url),
        ) as terminal,
    ):
        terminal.says(PROGRAM)
        terminal.until_last(READY)
        terminal.says("Hello?")
        terminal.wait_for(lambda: bool(server.requests), "the question")
        terminal.presses("C-z")
        terminal.until("Stopped")
        terminal.says("fg")
        terminal.wait_for(lambda: "thinking" in terminal.shown.rpartition("Stopped")[2], "the turn")
        terminal.presses("Escape")
        terminal.until("stopped; the session goes on")


def test_plan_mode_is_a_key_away_and_changes_nothing(harness: Harness) -> None:
    script: Script = [
        call("Write", file_path="new.txt", content="x"),
        call("ExitPlanMode", plan="Write new.txt."),
        call("Write", file_path="new.txt", content="x"),
        "Written.",
    ]
    with open_terminal(harness, script) as terminal:
        terminal.presses("BTab", "BTab")
        terminal.until_last("· plan")
        terminal.says("Make new.txt.")
        asked = terminal.until("y carry it out")
        assert ">> Write(new.txt) failed: " in asked
        assert "Write new.txt." in asked
        assert not (harness.project / "new.txt").exists()
        terminal.says("y")
        terminal.until(PERMISSION_CHOICES)
        terminal.says("y")
        terminal.until("< Written.")
        terminal.until_last("· default")
    assert (harness.project / "new.txt").read_text() == "x"


def test_a_command_in_the_background_is_heard_and_ended(harness: Harness) -> None:
    script: Script = [
        call("Bash", command="echo up; echo $$ > pid; sleep 100", run_in_background=True),
        "It runs.",
        call("BashOutput", bash_id="bash_1"),
        call("KillBash", bash_id="bash_1"),
        "It is over.",
    ]
    with open_terminal(harness, script, "--permission-mode", "bypassPermissions") as terminal:
        terminal.says("Start it.")
        terminal.until("< It runs.")
        terminal.until_last(READY)
        pid = harness.project / "pid"
        terminal.wait_for(lambda: pid.exists() and pid.read_text(), "the command")
        process = Path("/proc", pid.read_text().strip())
        terminal.says("And end it.")
        shown = terminal.until("< It is over.")
        assert ">> Bash(echo up;" in shown
        assert "-> Command running in background with ID: bash_1" in shown
        assert ">> BashOutput(bash_1) -> <status>running</status> <stdout> up" in shown
        assert ">> KillBash(bash_1) -> bash_1 is stopped" in shown
        assert not process.exists()


def chief_and_agents(messages: Sequence[JsonObject]) -> ScriptedReply | str:
    """One who has two files read by an agent each, and the agents."""
    asked, last = str(messages[1]["content"]), messages[-1]
    came = str(last["content"]) if last["role"] == "tool" else ""
    if asked.startswith("Read "):
        return f"It says {came[6:9]}." if came else call("Read", file_path=asked[5:10])
    if came:
        return "Both are read."
    files = ("a.txt", "b.txt")
    tasks = [{"description": name, "prompt": f"Read {name}.", **DEFAULT} for name in files]
    return calls(*(Call("Task", task) for task in tasks))


def test_subagents_work_side_by_side_and_are_seen_at_work(harness: Harness) -> None:
    harness.file("a.txt", "one")
    harness.file("b.txt", "two")
    with open_terminal(harness, chief_and_agents) as terminal:
        terminal.says("What is in them?")
        shown = terminal.until("< Both are read.")
        for line in (
            ">> Read(a.txt) -> 1→one",
            ">> Read(b.txt) -> 1→two",
            ">> Task(a.txt) -> It says one.",
            ">> Task(b.txt) -> It says two.",
        ):
            assert line in shown
    assert len(list(harness.sessions.glob("*.default-agent-*.jsonl"))) == 2


def test_a_session_that_was_killed_at_a_question_asks_it_again(harness: Harness) -> None:
    with open_terminal(harness, [call("Bash", command="touch made")]) as terminal:
        terminal.says("Make it.")
        terminal.until(PERMISSION_CHOICES)
        terminal.ends_with("KILL")
    script: Script = ["Made.", "Yes."]
    with (
        ScriptedServer(script) as server,
        open_terminal_to(harness, server, "--continue") as terminal,
    ):
        assert "> Make it." in terminal.until(PERMISSION_CHOICES)
        terminal.says("y")
        terminal.until("< Made.")
        terminal.until_last(READY)
        terminal.says("Sure?")
        terminal.until("< Yes.")
    assert (harness.project / "made").exists()


def test_whose_terminal_is_closed_leaves_no_command_running(harness: Harness) -> None:
    sleeps = "echo $$ > {}; exec sleep 100"
    script: Script = [
        call("Bash", command=sleeps.format("behind"), run_in_background=True),
        call("Bash", command=sleeps.format("before")),
    ]
    pids = [harness.project / name for name in ("behind", "before")]
    with open_terminal(harness, script, "--permission-mode", "bypassPermissions") as terminal:
        terminal.says("Wait.")
        terminal.wait_for(lambda: all(p.exists() and p.read_text() for p in pids), "the commands")
        running = [Path("/proc", path.read_text().strip()) for path in pids]
        assert all(process.exists() for process in running)
        terminal.ends_with("HUP")
        terminal.wait_for(lambda: not any(p.exists() for p in running), "the end of the commands")
    assert "[Request interrupted by user for tool use]" in read_transcript_text(harness)
