"""The read-eval-print loop of one session at the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from mini_agent.coding.bootstrap import AssistantRuntime, Dependencies, open_session
from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.notifications import IDLE_TIMEOUT_S
from mini_agent.coding.prompt_input import parse_prompt
from mini_agent.coding.terminal.commands import (
    USER_EXIT,
    CommandResult,
    PromptText,
    SlashCommands,
    Transition,
)
from mini_agent.coding.terminal.console import TerminalConsole
from mini_agent.coding.terminal.formatting import format_history
from mini_agent.coding.terminal.questions import TerminalQuestions
from mini_agent.coding.terminal.screen import Screen
from mini_agent.coding.usage import EXIT_WITHHELD, TurnOutcome, UsageTracker
from mini_agent.errors import MiniAgentError
from mini_agent.models.litellm_runtime import close_litellm_clients, flush_litellm_logging

TICK_INTERVAL_S: Final = 0.5
STOPPED_MESSAGE: Final = "stopped; the session goes on where it was"


class PromptReader(Protocol):
    """Reads the user's prompts."""

    async def read_prompt(self) -> str | None:
        """Return the next prompt; None at the end."""
        ...

    def interruptible(self, stop: Callable[[], object]) -> AbstractContextManager[None]:
        """Let the user `stop` the turn that runs."""
        ...


@dataclass
class Repl:
    """Reads prompts and commands of one session, and runs a turn for each."""

    runtime: AssistantRuntime
    screen: Screen
    reader: PromptReader
    slash: SlashCommands
    idle_s: float = IDLE_TIMEOUT_S

    async def run(self, first: str) -> Transition:
        """Run until the user leaves or opens another session."""
        session = self.runtime.assistant.session
        result: Transition | None = None
        if first:
            result = await self._handle_line(first)
        elif session.pending or session.awaits_model:
            result = await self._turn(self.runtime.assistant.answer())
        while result is None:
            with self.runtime.notifications.during_prompt(self.idle_s):
                line = await self.reader.read_prompt()
            result = USER_EXIT if line is None else await self._handle_line(line)
        return result

    async def _handle_line(self, line: str) -> Transition | None:
        """Handle a prompt or command; an empty line retries a prompt without an answer."""
        if line.startswith("/") and not _begins_with_path(line):
            return await self._command(line)
        if line.strip():
            return await self._submit(line)
        if self.runtime.assistant.session.awaits_model:
            return await self._turn(self.runtime.assistant.answer())
        return None

    async def _submit(self, text: str) -> Transition | None:
        prompt_input = parse_prompt(text)
        assistant = self.runtime.assistant
        if prompt_input.blocks:
            return await self._turn(assistant.say(prompt_input.blocks))
        return await self._turn(assistant.prompt(text))

    async def _command(self, line: str) -> Transition | None:
        results: list[CommandResult] = []

        async def execute() -> TurnOutcome:
            results.append(await self.slash.execute(line))
            return TurnOutcome("done")

        await self._turn(execute())
        result = results[0] if results else None
        if isinstance(result, PromptText):
            return await self._submit(result.text)
        return result

    async def _turn(self, work: Coroutine[object, object, TurnOutcome]) -> Transition | None:
        """Run a turn; withheld tools end the session, and resuming it executes them."""
        self.screen.begin()
        running = asyncio.create_task(work)
        try:
            with self.reader.interruptible(running.cancel):
                async with _tick_screen(self.screen), _cancel_on_sigint(running):
                    await asyncio.wait({running})
        finally:
            # Ending the program cancels the turn, which kills its commands and is recorded.
            running.cancel()
            await asyncio.wait({running})
            self.screen.pause()
        if running.cancelled():
            self.screen.on_warning(STOPPED_MESSAGE)
            return None
        try:
            outcome = running.result()
        except MiniAgentError as reason:
            outcome = TurnOutcome("failed", error=str(reason))
        self.screen.on_ended(outcome)
        return Transition(exit_code=EXIT_WITHHELD) if outcome.withheld else None


def _begins_with_path(line: str) -> bool:
    word = line.split(maxsplit=1)[0]
    return "/" in word[1:] or (len(word) > 1 and os.path.lexists(word))


async def run_session(
    launch: LaunchConfig, console: TerminalConsole, first: str | None, start_source: str
) -> Transition:
    """Run a session to its end; `first` is a prompt read before, None if the user has left."""
    if first is None:
        return Transition()
    screen = Screen(console.console)
    questions = TerminalQuestions(console.console, screen, console.reader)
    dependencies = Dependencies(
        lambda _session, _context: screen,
        permission_prompter=questions,
        prompter=questions,
        start_source=start_source,
    )
    async with open_session(launch, dependencies) as runtime:
        for line in format_history(runtime.assistant.session.entries):
            screen.show(line)
        slash = SlashCommands(runtime, screen.say)
        usage = runtime.usage_tracker
        console.attach_session(
            runtime.context.permissions, tuple(slash.names), lambda: _format_spent(usage)
        )
        result = await Repl(runtime, screen, console.reader, slash).run(first)
        runtime.end_reason = result.reason
        return result


async def close_clients() -> None:
    """Close the HTTP clients that LiteLLM keeps."""
    await flush_litellm_logging()
    await close_litellm_clients()


@asynccontextmanager
async def _cancel_on_sigint(running: asyncio.Task[TurnOutcome]) -> AsyncIterator[None]:
    """Let Ctrl-C cancel `running`, and nothing else."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, running.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@asynccontextmanager
async def _tick_screen(screen: Screen) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_INTERVAL_S)
            screen.tick()

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking


def _format_spent(usage: UsageTracker) -> str:
    total = usage.total
    price = f" · ${total.cost:.4f}" if total.cost else ""
    return f" · {total.total_tokens} tokens{price}"
