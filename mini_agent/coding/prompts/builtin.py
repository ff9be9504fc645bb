"""The builtin server of behaviour: the same resources as any other, without a process between."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from mini_agent.coding.front_matter import documents_in
from mini_agent.coding.memory.file_changes import SeenFiles
from mini_agent.coding.memory.files import Memory, memories
from mini_agent.coding.memory.jobs import EndedJobs
from mini_agent.coding.memory.nested import NestedMemory
from mini_agent.coding.prompts.prompts import (
    CHANGED,
    ENDED,
    ENVIRONMENT,
    HOW,
    MEMORY,
    NO_TODOS,
    PLAN_MODE,
    SKILLS,
    UNUSED_TODOS,
    WHO,
    reminder,
)
from mini_agent.coding.prompts.server import SYSTEM_PROMPT
from mini_agent.errors import MiniAgentError
from mini_agent.messages import json_object

PROMPT: Final = "hook://UserPromptSubmit/"
AFTER: Final = "hook://PostToolUse/"
LONG_WITHOUT_TODOS: Final = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """How the session stands when the user says something."""

    is_first: bool
    in_plan_mode: bool
    prompts_since_todos: int


@dataclass
class Builtin:
    """Prompts and reminders for the project in `cwd`; `standing` is asked at each prompt."""

    cwd: Path
    claude_home: Path
    standing: Callable[[], Standing]
    jobs: EndedJobs
    seen: SeenFiles = field(default_factory=SeenFiles)
    nested: NestedMemory = field(init=False)

    def __post_init__(self) -> None:
        self.nested = NestedMemory(self.cwd)

    async def serves(self, uri: str) -> bool:
        """The system prompt, and what goes beside the user's words and beside a file."""
        return uri == SYSTEM_PROMPT or uri.startswith((PROMPT, AFTER))

    async def read(self, uri: str) -> list[str]:
        """The blocks of the system prompt, or one answer a reminder."""
        if uri == SYSTEM_PROMPT:
            return [WHO, f"{HOW}\n\n{self.environment()}", *self._skills()]
        if uri.startswith(PROMPT):
            return list(self._reminders())
        if uri.startswith(AFTER):
            return list(self._beside_a_file(unquote(uri.removeprefix(AFTER))))
        raise MiniAgentError(f"the builtin server has no {uri:.80}")

    def environment(self) -> str:
        """Where the model works, and when."""
        return ENVIRONMENT.format(
            cwd=self.cwd,
            git="yes" if _in_git(self.cwd) else "no",
            platform=f"{platform.system()} {platform.release()}",
            today=date.today().isoformat(),  # noqa: DTZ011  the user's own day
        )

    def _skills(self) -> Iterator[str]:
        roots = (self.claude_home, self.cwd / ".claude")
        skills = documents_in([root / "skills" for root in roots], "*/SKILL.md")
        lines = [
            f"- {name} ({each.path}): {each.keys.get('description', '')}"
            for name, each in skills.items()
        ]
        if lines:
            yield "\n".join((SKILLS, *lines))

    def _beside_a_file(self, told: str) -> Iterator[str]:
        given = json_object(told).get("tool_input")
        named = given.get("file_path") if isinstance(given, dict) else None
        if isinstance(named, str) and (known := self.nested.told_at(named)):
            yield _answer("additionalContext", _told(known))

    def _reminders(self) -> Iterator[str]:
        now = self.standing()
        if now.is_first and (known := memories(self.claude_home, self.cwd)):
            yield _answer("additionalContextPre", _told(known))
        for changed in self.seen.changed():
            told = CHANGED.format(path=changed.path, hunks=changed.hunks)
            yield _answer("additionalContextPre", told)
        for job in self.jobs.new():
            told = ENDED.format(id=job.id, command=job.command, rc=job.rc)
            yield _answer("additionalContextPre", told)
        if now.in_plan_mode:
            yield _answer("additionalContext", PLAN_MODE)
        if now.is_first:
            yield _answer("additionalContext", NO_TODOS)
        elif now.prompts_since_todos and now.prompts_since_todos % LONG_WITHOUT_TODOS == 0:
            yield _answer("additionalContext", UNUSED_TODOS)


def _told(known: Sequence[Memory]) -> str:
    texts = "\n\n".join(f"Contents of {each.path}:\n{each.text.strip()}" for each in known)
    names = ", ".join(sorted({each.path.name for each in known}))
    return MEMORY.format(names=names, texts=texts)


def _answer(where: str, text: str) -> str:
    own = {where: reminder(text)}
    return json.dumps({"continue": True, "hookSpecificOutput": own})


def _in_git(folder: Path) -> bool:
    return any((each / ".git").exists() for each in (folder, *folder.parents))
