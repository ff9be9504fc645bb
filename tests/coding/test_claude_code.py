"""Sessions move between Claude Code and ours, in both directions, and the history goes along."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mini_agent.messages import JsonObject
from mini_agent.testing import Call, call, calls
from mini_agent.testing.script import Script
from tests.coding.desk import Desk, command_line
from tests.coding.messages_server import ANSWER, messages_server
from tests.mcp_door.clients import QUIET, installed


def claude(desk: Desk, address: str, *arguments: str) -> JsonObject:
    """What Claude Code prints as JSON."""
    ended = subprocess.run(
        [str(installed() / "claude"), "--model", "m", "--output-format", "json", *arguments],
        cwd=desk.project,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(desk.home),
            "ANTHROPIC_BASE_URL": address,
            "ANTHROPIC_API_KEY": "k",
            **QUIET,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    printed: JsonObject = json.loads(ended.stdout)
    return printed


def blocks(request: JsonObject, kind: str) -> list[JsonObject]:
    messages = request["messages"]
    assert isinstance(messages, list)
    contents = [m["content"] for m in messages if isinstance(m, dict)]
    return [
        block
        for content in contents
        if isinstance(content, list)
        for block in content
        if isinstance(block, dict) and block.get("type") == kind
    ]


@pytest.fixture
def ours(desk: Desk) -> Path:
    """A session of ours, with two calls side by side and a denied one."""
    desk.file("a.txt", "old\n")
    script: Script = [
        calls(Call("Read", {"file_path": "a.txt"}), Call("Read", {"file_path": "b.txt"})),
        call("Bash", command="rm a.txt"),
        "It says old.",
    ]
    assert command_line(desk, script, "-p", "What is in a.txt?").code == 0
    (path,) = desk.sessions.glob("*.jsonl")
    return path


def test_claude_code_goes_on_with_a_session_of_ours(desk: Desk, ours: Path) -> None:
    with messages_server() as (address, asked):
        done = claude(desk, address, "-p", "And then?", "--resume", ours.stem)
    assert (done["is_error"], done["result"]) == (False, ANSWER)
    calls_told, results = blocks(asked[-1], "tool_use"), blocks(asked[-1], "tool_result")
    assert [each["name"] for each in calls_told] == ["Read", "Read", "Bash"]
    came = {each["tool_use_id"]: each for each in results}
    assert set(came) == {each["id"] for each in calls_told}
    in_order = [came[each["id"]] for each in calls_told]
    assert "old" in str(in_order[0]["content"])
    assert [bool(each.get("is_error")) for each in in_order] == [False, True, True]


def test_ours_goes_on_with_a_session_of_claude_code(desk: Desk, ours: Path) -> None:
    with messages_server() as (address, _):
        claude(desk, address, "-p", "And then?", "--resume", ours.stem)
    done = command_line(desk, ["Thank you."], "-p", "Good.", "--resume", ours.stem)
    assert (done.code, done.stdout) == (0, "Thank you.\n")
    told = done.requests[0]
    assert [m["role"] for m in told if m["role"] == "tool"] == ["tool"] * 3
    words = [str(message["content"]) for message in told]
    assert any("And then?" in text for text in words)
    assert any(ANSWER in text for text in words)


def test_and_back_again(desk: Desk, ours: Path) -> None:
    with messages_server() as (address, asked):
        claude(desk, address, "-p", "And then?", "--resume", ours.stem)
        command_line(desk, ["Thank you."], "-p", "Good.", "--resume", ours.stem)
        done = claude(desk, address, "-p", "Bye.", "--resume", ours.stem)
    assert done["is_error"] is False
    texts = [str(block["text"]) for block in blocks(asked[-1], "text")]
    assert any("Thank you." in text for text in texts) or "Thank you." in str(asked[-1])
