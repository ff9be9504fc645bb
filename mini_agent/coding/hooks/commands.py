"""Hooks that are commands of settings.json: JSON on stdin, a decision by exit code and stdout."""

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

from mini_agent.coding.hooks.decision import (
    NO_DECISION,
    HookDecision,
    combine_decisions,
    parse_decision,
)
from mini_agent.coding.hooks.event import EventName, HookEvent

DEFAULT_TIMEOUT_S: Final = 60.0
BLOCK_EXIT_CODE: Final = 2
MAX_OUTPUT_BYTES: Final = 1 << 20
MAX_ERROR_CHARS: Final = 500
# Events whose plain-text output is added as context for the model.
CONTEXT_EVENTS: Final[tuple[EventName, ...]] = ("UserPromptSubmit", "SessionStart")
NAME_LIST: Final = re.compile(r"[A-Za-z0-9_|, -]+")
# Newer names of Claude Code's tools.
TOOL_ALIASES: Final = {"Task": "Agent"}


class HookSource(Protocol):
    """Decides on events."""

    async def decide(self, event: HookEvent) -> HookDecision:
        """Return a decision on the event; never raises."""
        ...


class CombinedHooks:
    """Several sources of hooks, asked concurrently."""

    def __init__(self, sources: Sequence[HookSource]) -> None:
        self._sources = tuple(sources)

    async def decide(self, event: HookEvent) -> HookDecision:
        """Combine the decisions of all sources."""
        if not self._sources:
            return NO_DECISION
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(source.decide(event)) for source in self._sources]
        return combine_decisions([each.result() for each in tasks])


@dataclass(frozen=True, slots=True)
class CommandHook:
    """A command for an event; an empty `matcher` applies to all tools."""

    event: EventName
    command: str
    matcher: str = ""
    timeout_s: float = DEFAULT_TIMEOUT_S

    def applies_to(self, event: HookEvent) -> bool:
        """Tell whether it is run for the event."""
        names = {event.subject, TOOL_ALIASES.get(event.subject, event.subject)}
        return self.event == event.name and any(matches(self.matcher, name) for name in names)


def matches(matcher: str, subject: str) -> bool:
    """Tell whether the matcher selects `subject`.

    A matcher is a list of names separated by `|` or `,`, a regular expression that is searched
    for, or empty or `*` for everything.
    """
    if matcher in ("", "*"):
        return True
    if NAME_LIST.fullmatch(matcher):
        return subject in [name.strip() for name in re.split(r"[|,]", matcher)]
    return re.search(matcher, subject) is not None


class CommandHooks:
    """Command hooks, run concurrently in the folder `cwd`."""

    def __init__(
        self, hooks: Sequence[CommandHook], cwd: str, variables: Mapping[str, str]
    ) -> None:
        self._hooks, self._cwd = tuple(hooks), cwd
        self._variables = {**variables, "CLAUDE_PROJECT_DIR": cwd}

    async def decide(self, event: HookEvent) -> HookDecision:
        """Run the hooks that apply, identical commands once, and combine their decisions."""
        matching = {hook.command: hook for hook in self._hooks if hook.applies_to(event)}
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._run(hook, event)) for hook in matching.values()]
        return combine_decisions([each.result() for each in tasks])

    async def _run(self, hook: CommandHook, event: HookEvent) -> HookDecision:
        try:
            process = await asyncio.create_subprocess_shell(
                hook.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._cwd,
                env=self._variables,
                start_new_session=True,
            )
        except OSError as error:
            return HookDecision(faults=(f"hook `{hook.command}` did not start: {error.strerror}",))
        try:
            async with asyncio.timeout(hook.timeout_s):
                stdout, stderr = await process.communicate(json.dumps(event.payload).encode())
        except TimeoutError:
            message = f"hook `{hook.command}` took longer than {hook.timeout_s:g} s and was ended"
            return HookDecision(faults=(message,))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())
        return _parse_output(hook, process.returncode or 0, _decode(stdout), _decode(stderr))


def _parse_output(hook: CommandHook, code: int, stdout: str, stderr: str) -> HookDecision:
    if code == BLOCK_EXIT_CODE:
        reason = stderr or f"hook `{hook.command}` gave no reason"
        return HookDecision(blocked=True, permission="deny", reasons=(reason,))
    if code:
        detail = f": {stderr[:MAX_ERROR_CHARS]}" if stderr else ""
        return HookDecision(faults=(f"hook `{hook.command}` failed with exit code {code}{detail}",))
    decision = parse_decision(stdout) if stdout.startswith("{") else None
    if decision is not None:
        return decision
    return (
        HookDecision(after=(stdout,)) if stdout and hook.event in CONTEXT_EVENTS else HookDecision()
    )


def _decode(output: bytes) -> str:
    return output[:MAX_OUTPUT_BYTES].decode("utf-8", "replace").strip()
