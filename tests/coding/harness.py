"""Test harness of the assistant: a project and a home of its own, in process or as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from mini_agent.coding.approval import UserAnswer
from mini_agent.coding.bootstrap import AssistantRuntime, Dependencies, open_session
from mini_agent.coding.launch import LaunchConfig, read_launch_config
from mini_agent.coding.lazy import LazyPages
from mini_agent.coding.observer import NullObserver
from mini_agent.coding.options import Options
from mini_agent.coding.permissions.policy import Ask
from mini_agent.coding.tools.protocols import PageFetcher, Question
from mini_agent.coding.transcript.locations import SessionFile, SessionOrigin, get_sessions_folder
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import TurnOutcome
from mini_agent.messages import JsonObject
from mini_agent.model import Model
from mini_agent.testing import ScriptedServer
from mini_agent.testing.script import Script

PROGRAM = str(Path(sys.executable).with_name("mini-agent"))
SESSION_ID = "11111111-2222-4333-8444-555555555555"


class RecordingObserver(NullObserver):
    """Keeps the warnings and lines that it receives."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.lines: list[JsonObject] = []

    def on_warning(self, message: str) -> None:
        self.warnings.append(message)

    def on_line(self, line: JsonObject) -> None:
        self.lines.append(line)


class ScriptedUser(Protocol):
    """Answers the questions of a session."""

    async def ask_permission(self, asked: Ask) -> UserAnswer: ...

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]: ...

    async def approve_plan(self, plan: str) -> bool: ...


@dataclass
class Harness:
    """`project` is the current folder; `home` holds `.claude`."""

    project: Path
    home: Path
    observer: RecordingObserver = field(default_factory=RecordingObserver)
    window: int | None = None
    pages: PageFetcher = field(default_factory=LazyPages)
    prompter: ScriptedUser | None = None

    @property
    def claude_home(self) -> Path:
        return self.home / ".claude"

    @property
    def sessions(self) -> Path:
        return get_sessions_folder(self.claude_home, self.project)

    def file(self, name: str, text: str) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def settings(self, value: JsonObject, name: str = "settings.json") -> Path:
        """Write the user's settings."""
        self.claude_home.mkdir(parents=True, exist_ok=True)
        path = self.claude_home / name
        path.write_text(json.dumps(value, indent=2))
        return path

    def session(self, session_id: str = SESSION_ID) -> Session:
        """Open a session file."""
        path = self.sessions / f"{session_id}.jsonl"
        return Session.open(SessionFile(path, session_id), SessionOrigin(str(self.project)))

    def transcript(self, *lines: JsonObject, session_id: str = SESSION_ID) -> Path:
        """Write a transcript of these lines."""
        path = self.sessions / f"{session_id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return path

    def launch(self, **options: object) -> LaunchConfig:
        parsed = replace(Options(model="openai/scripted"), **options)  # type: ignore[arg-type]
        variables = {**os.environ, "HOME": str(self.home), "CLAUDE_CONFIG_DIR": ""}
        return read_launch_config(parsed, variables)

    async def _tokens(self, _model: str) -> int | None:
        return self.window

    @asynccontextmanager
    async def open_session(
        self, model: Model, **options: object
    ) -> AsyncIterator[AssistantRuntime]:
        dependencies = Dependencies(
            lambda _session, _context: self.observer,
            model,
            self._tokens,
            permission_prompter=self.prompter,
            prompter=self.prompter,
            pages=self.pages,
        )
        async with open_session(self.launch(**options), dependencies) as runtime:
            yield runtime

    async def run_prompt(self, model: Model, prompt: str = "", **options: object) -> TurnOutcome:
        """Run a prompt, or, without one, answer what is in the session."""
        async with self.open_session(model, **options) as runtime:
            if prompt:
                return await runtime.assistant.prompt(prompt)
            return await runtime.assistant.answer()


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """Exit code and output of a process, and the messages of each request to its model."""

    code: int
    stdout: str
    stderr: str
    requests: Sequence[Sequence[JsonObject]]

    @property
    def objects(self) -> list[JsonObject]:
        """The JSON objects on standard output, one a line."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def run_command(
    harness: Harness, script: Script, *arguments: str, stdin: str = "", **variables: str
) -> ProcessResult:
    """Run `mini-agent` as a process with a scripted model."""
    with ScriptedServer(script) as server:
        ended = subprocess.run(
            [PROGRAM, *arguments],
            cwd=harness.project,
            env=build_environment(harness, server.openai_url) | variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    requests = [list(request.messages) for request in server.requests]
    return ProcessResult(ended.returncode, ended.stdout, ended.stderr, requests)


def run_shell(
    harness: Harness, line: str, server: ScriptedServer
) -> subprocess.CompletedProcess[str]:
    """Run a shell command in the project."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=harness.project,
        env=build_environment(harness, server.openai_url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def build_environment(harness: Harness, openai_url: str) -> dict[str, str]:
    # A tree that is tested without being installed is named by PYTHONPATH.
    own = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    return own | {
        "PATH": os.environ["PATH"],
        "HOME": str(harness.home),
        "OPENAI_API_KEY": "k",
        "OPENAI_API_BASE": openai_url,
        "LITELLM_DEFAULT_CODE_MODEL": "openai/scripted",
    }


def wait_until(done: Callable[[], object]) -> None:
    """Wait up to 80 s until `done` is true."""
    until = time.monotonic() + 80
    while not done() and time.monotonic() < until:
        time.sleep(0.05)
    assert done()
