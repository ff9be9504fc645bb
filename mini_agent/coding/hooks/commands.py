"""Hooks that are commands of settings.json: JSON on stdin, a decision by exit code and stdout."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shlex
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Final, Protocol, TypeAlias

from mini_agent.coding.hooks.decision import (
    CLOSED_EVENTS,
    NO_DECISION,
    HookDecision,
    combine_decisions,
    fail_decision,
    limit_texts,
    parse_output,
)
from mini_agent.coding.hooks.event import EventName, HookEvent
from mini_agent.coding.tools.text_file import is_folder
from mini_agent.errors import MiniAgentError

DEFAULT_TIMEOUT_S: Final = 60.0
BLOCK_EXIT_CODE: Final = 2
MAX_OUTPUT_BYTES: Final = 1 << 20
MAX_ERROR_CHARS: Final = 500
READ_BYTES: Final = 1 << 16
# A shell's exit codes for a program that it could not start.
NOT_STARTED_CODES: Final = (126, 127)
NOWHERE: Final = PurePath()
PROJECT_VARIABLE: Final = "${CLAUDE_PROJECT_DIR}"
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
    """A command for an event; an empty `matcher` applies to all tools.

    With `args` the program `command` is started without a shell. `condition` is a permission rule
    that the call has to match. Nothing waits for one that `is_async`. One with an `error` is never
    started. `source` is the settings file.
    """

    event: EventName
    command: str
    matcher: str = ""
    timeout_s: float = DEFAULT_TIMEOUT_S
    args: tuple[str, ...] | None = None
    shell: str = ""
    condition: str = ""
    is_async: bool = False
    error: str = ""
    source: PurePath = NOWHERE

    @property
    def line(self) -> str:
        """The command as one line, for the user."""
        return self.command if self.args is None else shlex.join((self.command, *self.args))

    def applies_to(self, event: HookEvent) -> bool:
        """Tell whether its event and matcher fit."""
        names = {event.subject, TOOL_ALIASES.get(event.subject, event.subject)}
        return self.event == event.name and any(matches(self.matcher, name) for name in names)

    def build_argv(self, project: str) -> tuple[str, ...]:
        """Build the program and its arguments; event data is no part of them."""
        if self.args is None:
            return (self.shell or "/bin/sh", "-c", self.command)
        words = (self.command, *self.args)
        return tuple(word.replace(PROJECT_VARIABLE, project) for word in words)


# Tells whether a call matches a permission rule; raises `BadRequest` for an invalid rule.
ConditionMatcher: TypeAlias = Callable[[str, HookEvent], bool]


def _match_all(rule: str, event: HookEvent) -> bool:
    del rule, event
    return True


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


@dataclass
class CommandHooks:
    """Command hooks, run concurrently in the folder `cwd`."""

    hooks: Sequence[CommandHook]
    cwd: str
    variables: Mapping[str, str]
    matches_condition: ConditionMatcher = _match_all
    _background: set[asyncio.Task[HookDecision]] = field(default_factory=set)
    _late_faults: list[str] = field(default_factory=list)

    async def decide(self, event: HookEvent) -> HookDecision:
        """Run the hooks that apply, identical ones once, and combine their decisions."""
        chosen = [hook for hook in dict.fromkeys(self.hooks) if hook.applies_to(event)]
        unique = {replace(hook, matcher="", timeout_s=0, source=NOWHERE): hook for hook in chosen}
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._decide(hook, event)) for hook in unique.values()]
        late, self._late_faults = tuple(self._late_faults), []
        decisions = [each.result() for each in tasks]
        if event.name == "SessionEnd":
            await self._end_background()
        return combine_decisions([*decisions, HookDecision(faults=late)])

    async def _decide(self, hook: CommandHook, event: HookEvent) -> HookDecision:
        if hook.error and event.name not in CLOSED_EVENTS:
            return NO_DECISION  # it was shown at the start
        if hook.error:
            return fail_decision(
                event.name, f"a hook is in error and was not run: {hook.source}: {hook.error}"
            )
        try:
            if hook.condition and not self.matches_condition(hook.condition, event):
                return NO_DECISION
        except MiniAgentError as error:
            return fail_decision(event.name, f"{hook.source}: `if` of hook `{hook.line}`: {error}")
        if not hook.is_async:
            return await self._run(hook, event)
        task = asyncio.create_task(self._run(hook, event))
        self._background.add(task)
        task.add_done_callback(self._end_task)
        return NO_DECISION

    def _end_task(self, task: asyncio.Task[HookDecision]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            self._late_faults += task.result().faults

    async def _end_background(self) -> None:
        for task in self._background:
            task.cancel()
        if self._background:
            await asyncio.wait(self._background)

    async def _run(self, hook: CommandHook, event: HookEvent) -> HookDecision:
        try:
            process = await asyncio.create_subprocess_exec(
                *hook.build_argv(self.cwd),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=self.cwd,
                env={**self.variables, "CLAUDE_PROJECT_DIR": self.cwd},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            if not is_folder(Path(self.cwd)):
                reason = f"the folder {self.cwd} is gone"
            return fail_decision(event.name, f"hook `{hook.line}` did not start: {reason}")
        try:
            async with asyncio.timeout(hook.timeout_s):
                stdout, stderr = await _communicate(process, json.dumps(event.payload).encode())
        except TimeoutError:
            message = f"hook `{hook.line}` took longer than {hook.timeout_s:g} s and was ended"
            return fail_decision(event.name, message)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())
        return limit_texts(_parse_result(hook, process.returncode or 0, stdout, stderr))


@dataclass(frozen=True, slots=True)
class _Output:
    """The beginning of an output as text; `is_cut` if there was more."""

    text: str
    is_cut: bool


async def _communicate(process: Process, payload: bytes) -> tuple[_Output, _Output]:
    """Write the event, and read both outputs to their ends; of each the beginning is kept."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_write(process, payload))
        stdout = group.create_task(_read_head(process.stdout))
        stderr = group.create_task(_read_head(process.stderr))
    await process.wait()
    return stdout.result(), stderr.result()


async def _write(process: Process, payload: bytes) -> None:
    if process.stdin is None:
        return
    # A hook need not read the event.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(payload)
        await process.stdin.drain()
    process.stdin.close()


async def _read_head(stream: asyncio.StreamReader | None) -> _Output:
    head, count = bytearray(), 0
    while stream is not None and (piece := await stream.read(READ_BYTES)):
        head += piece[: MAX_OUTPUT_BYTES - len(head)]
        count += len(piece)
    return _Output(head.decode("utf-8", "replace").strip(), count > len(head))


def _parse_result(hook: CommandHook, code: int, stdout: _Output, stderr: _Output) -> HookDecision:
    if code == BLOCK_EXIT_CODE:
        reason = stderr.text or f"hook `{hook.line}` gave no reason"
        return HookDecision(blocked=True, permission="deny", reasons=(reason,))
    if code:
        detail = f": {stderr.text[:MAX_ERROR_CHARS]}" if stderr.text else ""
        fault = f"hook `{hook.line}` failed with exit code {code}{detail}"
        if code in NOT_STARTED_CODES and hook.args is None:
            return fail_decision(hook.event, fault)
        return HookDecision(faults=(fault,))
    return _parse_stdout(hook, stdout)


def _parse_stdout(hook: CommandHook, stdout: _Output) -> HookDecision:
    context = (stdout.text,) if stdout.text and hook.event in CONTEXT_EVENTS else ()
    if stdout.is_cut:
        # An answer may stand in what is lost, or be cut itself.
        size = f"more than {MAX_OUTPUT_BYTES >> 20} MiB"
        fault = f"hook `{hook.line}` printed {size}, so that its answer is not known"
        is_text = not stdout.text.startswith("{")
        return replace(fail_decision(hook.event, fault), after=context if is_text else ())
    decision = parse_output(stdout.text, hook.event) if stdout.text else None
    return HookDecision(after=context) if decision is None else decision
