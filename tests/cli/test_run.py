"""`mini-agent run`: what a person sees, what a program reads, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mini_agent.events import Event
from mini_agent.testing import ScriptedServer, call, hang, text
from mini_agent.testing.script import Script

ESCAPE = "\x1b[31m"
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def environment(**more: str) -> dict[str, str]:
    """What a fresh shell has, and nothing of this machine's settings."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LITELLM_MODE": "PRODUCTION"} | more


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("mini-agent")), "run", *arguments]


def ran(*arguments: str, script: Script = (), stdin: str = "") -> subprocess.CompletedProcess[str]:
    with ScriptedServer(script) as server:
        return subprocess.run(
            command(*arguments),
            env=environment(OLLAMA_HOST=server.url, LITELLM_DEFAULT_CODE_MODEL="ollama/scripted"),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )


def test_the_answer_is_printed_and_beside_it_what_happened_meanwhile() -> None:
    done = ran("Go.", "--backend", "echo", script=[call("echo", text="hi"), text("It said hi.")])
    assert (done.stdout, done.returncode) == ("It said hi.\n", 0)
    assert "asking ollama/scripted" in done.stderr
    assert "echo: hi" in done.stderr
    assert "It said hi." not in done.stderr


def test_as_json_every_event_is_a_line() -> None:
    script = [call("echo", text="hi"), text("It said hi.")]
    done = ran("Go.", "--backend", "echo", "--json", script=script)
    events = [EVENT.validate_json(line) for line in done.stdout.splitlines()]
    assert [events[0].kind, events[-1].kind] == ["run_started", "stopped"]
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_prompt_can_come_from_standard_input() -> None:
    done = ran("-", "--backend", "echo", "--json", script=[text("hey")], stdin="Say hey.\n")
    stopped = json.loads(done.stdout.splitlines()[-1])
    assert stopped["result"]["messages"][-2] == {"role": "user", "content": "Say hey.\n"}


def test_a_run_that_stops_early_says_why_and_fails() -> None:
    done = ran("Go.", "--backend", "echo", "--seconds", "2", script=lambda _: hang())
    assert done.returncode == 1
    assert "stopped (budget)" in done.stderr
    assert done.stdout.strip()


def test_what_a_model_or_a_program_writes_does_nothing_to_the_terminal() -> None:
    script = [call("echo", text=f"{ESCAPE}red\u202e"), text("done")]
    done = ran("Go.", "--backend", "echo", script=script)
    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr
    assert "\\x1b[31mred\\u202e" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["", "--backend", "echo"], "the prompt is empty"),
        (["Go.", "--backend", "http"], "--backend 'http' needs"),
        (["Go.", "--backend", "docker"], "LITELLM_MINI_AGENT_DOCKER_CONTAINER"),
        (["Go.", "--backend", "sidecar"], "MINI_AGENT_SIDECAR_URL"),
        (["Go.", "--backend", "echo", "--seconds", "0"], "--seconds"),
    ],
)
def test_what_cannot_be_is_told_in_the_words_of_the_command(
    arguments: list[str], said: str
) -> None:
    done = ran(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "tool_backend" not in done.stderr


def test_no_model_is_told_with_the_option_that_names_one() -> None:
    done = subprocess.run(
        command("Go.", "--backend", "echo"),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 1
    assert "pass --model, or set LITELLM_DEFAULT_CODE_MODEL" in done.stderr


def test_a_place_that_is_no_sandbox_is_told_in_one_line() -> None:
    done = ran("Go.", script=[text("hey")])
    assert done.returncode == 0
    assert done.stderr.splitlines()[0].startswith("mini-agent: the code that the model writes runs")
    assert "or --backend 'local'" in done.stderr
    assert "litellm_provider.py" not in done.stderr


def test_whoever_stops_reading_is_not_complained_to() -> None:
    with ScriptedServer(lambda _: text("hey")) as server:
        running = subprocess.Popen(
            command("Go.", "--backend", "echo", "--json"),
            env=environment(OLLAMA_HOST=server.url, LITELLM_DEFAULT_CODE_MODEL="ollama/scripted"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stdout is not None
        running.stdout.close()
        _, said = running.communicate(timeout=150)
    assert (said, running.returncode) == ("", 1)


@contextmanager
def started(server: ScriptedServer, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command("Go.", *arguments),
        env=environment(OLLAMA_HOST=server.url, LITELLM_DEFAULT_CODE_MODEL="ollama/scripted"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        yield running


def interrupted(running: subprocess.Popen[str]) -> float:
    """How long it takes to end once it is told to, in seconds."""
    running.send_signal(signal.SIGINT)
    told = time.monotonic()
    running.communicate(timeout=50)
    return time.monotonic() - told


def until(has_come: object, within_s: float = 30) -> None:
    assert callable(has_come)
    deadline = time.monotonic() + within_s
    while not has_come():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ctrl_c_ends_a_run_that_waits_for_its_model() -> None:
    with ScriptedServer([hang()]) as server, started(server, "--backend", "echo") as running:
        until(lambda: server.requests)
        assert interrupted(running) < 15
        assert running.returncode == 130


def test_ctrl_c_ends_a_program_that_runs_here(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\ntime.sleep(60)"
    script = [call("exec_python", code=code, timeout_s=60)]
    with ScriptedServer(script) as server, started(server, "--backend", "local") as running:
        until(mark.exists)
        assert interrupted(running) < 15
        assert running.returncode == 130


def test_ctrl_c_while_everything_is_still_loading_ends_it_too() -> None:
    with ScriptedServer() as server, started(server, "--backend", "echo") as running:
        libraries = Path(f"/proc/{running.pid}/maps")
        until(lambda: "aiohttp" in libraries.read_text())
        assert interrupted(running) < 15
        assert running.returncode == 130
