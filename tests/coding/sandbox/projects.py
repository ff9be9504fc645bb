"""Projects for tests of Bash in the sandbox, and what the user answers there."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mini_agent.coding.approval import UserAnswer
from mini_agent.coding.permissions.policy import Ask
from mini_agent.coding.tools.protocols import Question
from mini_agent.model import ModelReply
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness


def init_repository(project: Path) -> None:
    git(project, "init", "-q", ".")


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_CONFIG_GLOBAL": "/dev/null"}
    committer = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=os.environ | identity | committer,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Modes and contents of all that is below the folder, links not followed."""
    found: dict[str, tuple[int, str]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        text = str(path.readlink()) if path.is_symlink() else ""
        if path.is_file() and not path.is_symlink():
            text = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (status.st_mode, text)
    return found


@dataclass
class Answering:
    """A user who gives these answers, in order, and does `first` before the first of them."""

    answers: list[UserAnswer]
    first: Callable[[], Awaitable[object]] | None = None
    asked: list[Ask] = field(default_factory=list)

    async def ask_permission(self, asked: Ask) -> UserAnswer:
        self.asked.append(asked)
        if self.first is not None:
            first, self.first = self.first, None
            await first()
        return self.answers.pop(0)

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        raise AssertionError(f"nothing is asked: {questions}")

    async def approve_plan(self, plan: str) -> bool:
        raise AssertionError(f"no plan is shown: {plan}")


YES = UserAnswer("once")
NO = UserAnswer("no", "leave that alone")


async def run_commands(harness: Harness, *commands: str, **options: object) -> list[str]:
    """Let the model run these command lines in the sandbox, and return what it reads of each."""
    calls = [calls_reply(scripted_call("Bash", command=each)) for each in commands]
    return await run_calls(harness, *calls, **options)


async def run_calls(harness: Harness, *replies: ModelReply, **options: object) -> list[str]:
    """Let the model make these calls, and return what it reads of each."""
    with ScriptedModel(*replies, text_reply("done")) as model:
        outcome = await harness.run_prompt(model, "Work.", **{"sandbox": True, **options})
    assert outcome.answer == "done", outcome
    return [str(request.messages[-1]["content"]) for request in model.requests[1:]]
