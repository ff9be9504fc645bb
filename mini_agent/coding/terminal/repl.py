"""One session at the terminal: prompts, turns that Ctrl-C stops, and what follows a command.

One session at the desk, from its opening to what follows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from mini_agent.coding.bootstrap import Assembled, Seams, opened
from mini_agent.coding.launch import Ground
from mini_agent.coding.notifications import IDLE_S
from mini_agent.coding.prompt_input import given_in
from mini_agent.coding.terminal.commands import LEFT, Done, Next, Say, Slash
from mini_agent.coding.terminal.console import Desk
from mini_agent.coding.terminal.formatting import recalled
from mini_agent.coding.terminal.questions import Questions
from mini_agent.coding.terminal.screen import Screen
from mini_agent.coding.usage import WITHHELD, Ledger, Outcome
from mini_agent.errors import MiniAgentError
from mini_agent.models.litellm_runtime import close_litellm_clients, settle_litellm

TICK_S: Final = 0.5
STOPPED: Final = "stopped; the session goes on where it was"


class Reader(Protocol):
    """The user's words."""

    async def prompt(self) -> str | None:
        """What is said next; None at the end."""
        ...

    def stoppable(self, stop: Callable[[], object]) -> AbstractContextManager[None]:
        """While a turn goes on, which the user may `stop`."""
        ...


@dataclass
class Talk:
    """The outer loop on one session."""

    assembled: Assembled
    screen: Screen
    reader: Reader
    slash: Slash
    idle_s: float = IDLE_S

    async def to_its_end(self, first: str) -> Next:
        """Until the user leaves, or wants another session."""
        session = self.assembled.assistant.session
        done: Next | None = None
        if first:
            done = await self._after(first)
        elif session.pending or session.awaits_the_model:
            done = await self._turn(self.assembled.assistant.answer())
        while done is None:
            with self.assembled.notices.waiting(self.idle_s):
                said = await self.reader.prompt()
            done = LEFT if said is None else await self._after(said)
        return done

    async def _after(self, said: str) -> Next | None:
        """What follows from a line; an empty one asks again what has not been answered."""
        if said.startswith("/"):
            return await self._command(said)
        if said.strip():
            return await self._said(said)
        if self.assembled.assistant.session.awaits_the_model:
            return await self._turn(self.assembled.assistant.answer())
        return None

    async def _said(self, text: str) -> Next | None:
        given = given_in(text)
        assistant = self.assembled.assistant
        if given.blocks:
            return await self._turn(assistant.say(given.blocks))
        return await self._turn(assistant.prompt(text))

    async def _command(self, said: str) -> Next | None:
        result: list[Done] = []

        async def carried_out() -> Outcome:
            result.append(await self.slash.carried_out(said))
            return Outcome("done")

        await self._turn(carried_out())
        done = result[0] if result else None
        if isinstance(done, Say):
            return await self._said(done.text)
        return done

    async def _turn(self, work: Coroutine[object, object, Outcome]) -> Next | None:
        """Withheld tools end the session; whoever resumes it carries them out."""
        self.screen.begin()
        running = asyncio.create_task(work)
        try:
            with self.reader.stoppable(running.cancel):
                async with _ticking(self.screen), _interruptible(running):
                    await asyncio.wait({running})
        finally:
            # Who ends the program ends the turn, which kills its commands and writes that down.
            running.cancel()
            await asyncio.wait({running})
            self.screen.pause()
        if running.cancelled():
            self.screen.remark(STOPPED)
            return None
        try:
            outcome = running.result()
        except MiniAgentError as why:
            outcome = Outcome("failed", error=str(why))
        self.screen.ended(outcome)
        return Next(code=WITHHELD) if outcome.withheld else None


@asynccontextmanager
async def _interruptible(running: asyncio.Task[Outcome]) -> AsyncIterator[None]:
    """Ctrl-C cancels `running`, and nothing else."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, running.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@asynccontextmanager
async def _ticking(screen: Screen) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            screen.tick()

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking


async def sat_out(ground: Ground, desk: Desk, first: str | None, begins: str) -> Next:
    """What follows; `first` is said already, None that the user has left."""
    if first is None:
        return Next()
    screen = Screen(desk.console)
    questions = Questions(desk.console, screen, desk.reader)
    seams = Seams(
        lambda _session, _facts: screen, call_asker=questions, asker=questions, begins=begins
    )
    async with opened(ground, seams) as assembled:
        for line in recalled(assembled.assistant.session.entries):
            screen.show(line)
        slash = Slash(assembled, screen.say)
        ledger = assembled.ledger
        desk.opened(assembled.facts.permissions, tuple(slash.names), lambda: _spent(ledger))
        done = await Talk(assembled, screen, desk.reader, slash).to_its_end(first)
        assembled.ends = done.why
        return done


async def cleaned_up() -> None:
    """Lets go of what LiteLLM keeps."""
    await settle_litellm()
    await close_litellm_clients()


def _spent(ledger: Ledger) -> str:
    total = ledger.total
    price = f" · ${total.cost:.4f}" if total.cost else ""
    return f" · {total.total_tokens} tokens{price}"
