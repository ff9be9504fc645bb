"""Hooks that are commands of settings.json: told on stdin, heard by exit code and stdout.

Where hooks come from, and all of them asked at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from mini_agent.coding.hooks.decision import SILENT, Verdict, together, verdict_in
from mini_agent.coding.hooks.event import EventName, HookEvent


class Hooks(Protocol):
    """Anything that has a say in what happens."""

    async def verdict(self, event: HookEvent) -> Verdict:
        """What it says; it never raises."""
        ...


class AllHooks:
    """Several sources of hooks as one."""

    def __init__(self, sources: Sequence[Hooks]) -> None:
        self._sources = tuple(sources)

    async def verdict(self, event: HookEvent) -> Verdict:
        """What they come to together."""
        if not self._sources:
            return SILENT
        async with asyncio.TaskGroup() as asking:
            asked = [asking.create_task(source.verdict(event)) for source in self._sources]
        return together([each.result() for each in asked])


USUAL_S: Final = 60.0
BLOCKS: Final = 2
MOST_OUTPUT: Final = 1 << 20
SHOWN: Final = 500
# What they print without being asked for JSON is context for the model.
ADDING: Final[tuple[EventName, ...]] = ("UserPromptSubmit", "SessionStart")
PLAIN: Final = re.compile(r"[A-Za-z0-9_|, -]+")
# Claude Code's newer names of tools.
ALSO: Final = {"Task": "Agent"}


@dataclass(frozen=True, slots=True)
class CommandHook:
    """A command, and the events and tools that it is for; `matcher` is empty for all."""

    event: EventName
    command: str
    matcher: str = ""
    timeout_s: float = USUAL_S

    def is_for(self, event: HookEvent) -> bool:
        """Whether it is to be asked."""
        names = {event.about, ALSO.get(event.about, event.about)}
        return self.event == event.name and any(matches(self.matcher, name) for name in names)


def matches(matcher: str, about: str) -> bool:
    """Whether `about` is meant: names apart by `|`, or a regular expression that is found in it,
    or everything."""
    if matcher in ("", "*"):
        return True
    if PLAIN.fullmatch(matcher):
        return about in [name.strip() for name in re.split(r"[|,]", matcher)]
    return re.search(matcher, about) is not None


class CommandHooks:
    """All commands, which run in `cwd` beside each other."""

    def __init__(
        self, hooks: Sequence[CommandHook], cwd: str, variables: Mapping[str, str]
    ) -> None:
        self._hooks, self._cwd = tuple(hooks), cwd
        self._variables = {**variables, "CLAUDE_PROJECT_DIR": cwd}

    async def verdict(self, event: HookEvent) -> Verdict:
        """What those say that are meant; the same command is asked once."""
        meant = {hook.command: hook for hook in self._hooks if hook.is_for(event)}
        async with asyncio.TaskGroup() as asking:
            asked = [asking.create_task(self._said(hook, event)) for hook in meant.values()]
        return together([each.result() for each in asked])

    async def _said(self, hook: CommandHook, event: HookEvent) -> Verdict:
        try:
            child = await asyncio.create_subprocess_shell(
                hook.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._cwd,
                env=self._variables,
                start_new_session=True,
            )
        except OSError as broken:
            return Verdict(faults=(f"hook `{hook.command}` did not start: {broken.strerror}",))
        try:
            async with asyncio.timeout(hook.timeout_s):
                stdout, stderr = await child.communicate(json.dumps(event.told).encode())
        except TimeoutError:
            why = f"hook `{hook.command}` took longer than {hook.timeout_s:g} s and was ended"
            return Verdict(faults=(why,))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await asyncio.shield(child.wait())
        return _heard(hook, child.returncode or 0, _text(stdout), _text(stderr))


def _heard(hook: CommandHook, code: int, stdout: str, stderr: str) -> Verdict:
    if code == BLOCKS:
        reason = stderr or f"hook `{hook.command}` gave no reason"
        return Verdict(blocked=True, permission="deny", reasons=(reason,))
    if code:
        said = f": {stderr[:SHOWN]}" if stderr else ""
        return Verdict(faults=(f"hook `{hook.command}` failed with exit code {code}{said}",))
    verdict = verdict_in(stdout) if stdout.startswith("{") else None
    if verdict is not None:
        return verdict
    return Verdict(after=(stdout,)) if stdout and hook.event in ADDING else Verdict()


def _text(output: bytes) -> str:
    return output[:MOST_OUTPUT].decode("utf-8", "replace").strip()
