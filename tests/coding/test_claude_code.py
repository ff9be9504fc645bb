"""Sessions move between Claude Code and ours, in both directions, and the history goes along."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from mini_agent.messages import JsonObject
from mini_agent.testing import Call, call, calls
from mini_agent.testing.script import Script
from tests.coding.harness import Harness, run_command, wait_until
from tests.coding.messages_server import ANSWER, blocks, messages_server
from tests.coding.transcript_lines import text_block, tool_use_block
from tests.mcp.sandbox_server.clients import QUIET, installed

# The first one may have to wait for npm.
pytestmark = pytest.mark.timeout(400)


def command(address: str, *arguments: str) -> list[str]:
    return [
        *("env", f"ANTHROPIC_BASE_URL={address}", "ANTHROPIC_API_KEY=k"),
        *(f"{name}={value}" for name, value in QUIET.items()),
        *(str(installed() / "claude"), "--model", "m", "--output-format", "json", *arguments),
    ]


def claude(harness: Harness, address: str, *arguments: str) -> JsonObject:
    """What Claude Code prints as JSON."""
    ended = subprocess.run(
        command(address, *arguments),
        cwd=harness.project,
        env={"PATH": os.environ["PATH"], "HOME": str(harness.home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    printed: JsonObject = json.loads(ended.stdout)
    return printed


@pytest.fixture
def ours(harness: Harness) -> Path:
    """A session of ours, with two calls side by side and a denied one."""
    harness.file("a.txt", "old\n")
    script: Script = [
        calls(Call("Read", {"file_path": "a.txt"}), Call("Read", {"file_path": "b.txt"})),
        call("Bash", command="rm a.txt"),
        "It says old.",
    ]
    assert run_command(harness, script, "-p", "What is in a.txt?").code == 0
    (path,) = harness.sessions.glob("*.jsonl")
    return path


def test_claude_code_goes_on_with_a_session_of_ours(harness: Harness, ours: Path) -> None:
    with messages_server() as (address, asked):
        done = claude(harness, address, "-p", "And then?", "--resume", ours.stem)
    assert (done["is_error"], done["result"]) == (False, ANSWER)
    calls_told, results = blocks(asked[-1], "tool_use"), blocks(asked[-1], "tool_result")
    assert [each["name"] for each in calls_told] == ["Read", "Read", "Bash"]
    came = {each["tool_use_id"]: each for each in results}
    assert set(came) == {each["id"] for each in calls_told}
    in_order = [came[each["id"]] for each in calls_told]
    assert "old" in str(in_order[0]["content"])
    assert [bool(each.get("is_error")) for each in in_order] == [False, True, True]


def test_ours_goes_on_with_a_session_of_claude_code(harness: Harness, ours: Path) -> None:
    with messages_server() as (address, _):
        claude(harness, address, "-p", "And then?", "--resume", ours.stem)
    done = run_command(harness, ["Thank you."], "-p", "Good.", "--resume", ours.stem)
    assert (done.code, done.stdout) == (0, "Thank you.\n")
    told = done.requests[0]
    assert [m["role"] for m in told if m["role"] == "tool"] == ["tool"] * 3
    words = [str(message["content"]) for message in told]
    assert any("And then?" in text for text in words)
    assert any(ANSWER in text for text in words)


def test_and_back_again(harness: Harness, ours: Path) -> None:
    with messages_server() as (address, asked):
        claude(harness, address, "-p", "And then?", "--resume", ours.stem)
        run_command(harness, ["Thank you."], "-p", "Good.", "--resume", ours.stem)
        done = claude(harness, address, "-p", "Bye.", "--resume", ours.stem)
    assert done["is_error"] is False
    texts = [str(block["text"]) for block in blocks(asked[-1], "text")]
    assert any("Thank you." in text for text in texts) or "Thank you." in str(asked[-1])


def test_a_session_that_claude_code_began_goes_on_in_ours_with_its_tools(harness: Harness) -> None:
    path = harness.file("a.txt", "old\n")
    turns = (
        [
            text_block("I look."),
            tool_use_block("toolu_1", "Read", file_path=str(path)),
            tool_use_block("toolu_2", "Read", file_path=str(path.with_name("b.txt"))),
        ],
        [
            tool_use_block(
                "toolu_3", "Edit", file_path=str(path), old_string="old", new_string="new"
            )
        ],
        [tool_use_block("toolu_4", "Bash", command="cat a.txt", description="Show it")],
        [text_block("It says new now.")],
    )
    allowed = "Read,Edit,Bash"
    with messages_server(*turns) as (address, _):
        theirs = claude(harness, address, "-p", "Renew a.txt.", "--allowedTools", allowed)
    assert (theirs["is_error"], path.read_text()) == (False, "new\n")
    done = run_command(harness, ["Gladly."], "-p", "Thank you.", "--continue")
    assert (done.code, done.stdout) == (0, "Gladly.\n")
    (told,) = done.requests
    came = {m["tool_call_id"]: str(m["content"]) for m in told if m["role"] == "tool"}
    assert list(came) == ["toolu_1", "toolu_2", "toolu_3", "toolu_4"]
    assert "old" in came["toolu_1"]
    assert "b.txt" in came["toolu_2"] or "not exist" in came["toolu_2"]
    assert "updated" in came["toolu_3"]
    assert came["toolu_4"].strip() == "new"
    assert [m["content"] for m in told[-2:]] == ["It says new now.", "Thank you."]
    (transcript,) = harness.sessions.glob("*.jsonl")
    assert transcript.stem == theirs["session_id"]


def test_a_call_that_claude_code_was_killed_in_is_carried_out_by_ours(harness: Harness) -> None:
    once = "test -e began && echo again || { touch began; sleep 100; }"
    with messages_server([tool_use_block("toolu_1", "Bash", command=once)]) as (address, _):
        theirs = subprocess.Popen(
            command(address, "-p", "Wait.", "--allowedTools", "Bash"),
            cwd=harness.project,
            env={"PATH": os.environ["PATH"], "HOME": str(harness.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            process_group=0,
        )
        wait_until((harness.project / "began").exists)
        # Its transcript is written a little after the call is begun.
        wait_until(
            lambda: any("toolu_1" in each.read_text() for each in harness.sessions.glob("*.jsonl"))
        )
        os.killpg(theirs.pid, signal.SIGKILL)
        theirs.wait()
    may = ("--permission-mode", "bypassPermissions")
    done = run_command(harness, ["It went on."], "--continue", *may)
    assert (done.code, done.stdout) == (0, "It went on.\n")
    last = done.requests[0][-1]
    assert (last["role"], last["tool_call_id"]) == ("tool", "toolu_1")
    assert "again" in str(last["content"])
