"""`python -m mini_agent.testing`, run as people run it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mini_agent.testing import ScriptedServer

TURN = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": False}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mini_agent.testing", *arguments]


@pytest.fixture
def script(tmp_path: Path) -> str:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(["Good day."]), encoding="utf-8")
    return str(file)


@contextmanager
def running(script: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        command("--script", script, "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert "a scripted model with 1 reply listens" in server.stdout.readline()
        yield server, server.stdout.readline().split()[-1]
        server.communicate(timeout=150)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_stopped_and_ends_0_when_the_script_was_followed(
    script: str, stop: signal.Signals
) -> None:
    with running(script) as (server, url):
        answer = httpx.post(f"{url}/api/chat", json=TURN, trust_env=False).json()
        server.send_signal(stop)
    assert answer["message"]["content"] == "Good day."
    assert server.returncode == 0


def test_it_ends_1_when_replies_are_left_over(script: str) -> None:
    with running(script) as (server, _):
        server.send_signal(signal.SIGTERM)
        _, complaint = server.communicate(timeout=150)
    assert server.returncode == 1
    assert complaint.startswith("the script was not followed: the model was asked 0 times")


def test_a_bad_file_is_one_line_and_2(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_text('[{"txt": ""}]', encoding="utf-8")
    ended = subprocess.run(
        command("--script", str(file)), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{file}:1: reply 1: no word 'txt'; known: ")
    assert ended.stderr.count("\n") == 1


def test_a_taken_port_is_one_line_and_2(script: str) -> None:
    with ScriptedServer() as other:
        ended = subprocess.run(
            command("--script", script, "--port", str(other.port)),
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"cannot listen on 127.0.0.1:{other.port}: ")
    assert ended.stderr.count("\n") == 1
