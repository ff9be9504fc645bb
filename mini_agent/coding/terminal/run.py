"""`mini-agent` at a terminal: one session after the other, until the user leaves."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.text import Text

from mini_agent.coding.assembly import Assembled, Seams, opened
from mini_agent.coding.facts import Facts
from mini_agent.coding.ground import Ground, ground_of
from mini_agent.coding.ledger import Ledger
from mini_agent.coding.permissions import Mode
from mini_agent.coding.terminal.questions import Questions
from mini_agent.coding.terminal.reader import PlainReader, TerminalReader, Words
from mini_agent.coding.terminal.screen import Screen
from mini_agent.coding.terminal.slash import MODES, Next, Slash
from mini_agent.coding.terminal.talk import Talk
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.watch import Watcher
from mini_agent.litellm_lazy import close_litellm_clients, settle_litellm

HISTORY: Final = "mini-agent-history"
# Everything else has to be chosen by name.
BY_KEY: Final[tuple[Mode, ...]] = ("default", "acceptEdits", "plan")


def run_terminal(ground: Ground) -> int:
    """The exit code, 0."""
    asyncio.run(_run(ground))
    return 0


async def _run(ground: Ground) -> None:
    first = ground.options.prompt
    try:
        while True:
            done = await _one_session(ground, first)
            if not done.goes_on:
                return
            first = None
            ground = _ground_after(ground, done)
    finally:
        await settle_litellm()
        await close_litellm_clients()


def _ground_after(ground: Ground, done: Next) -> Ground:
    options = replace(
        ground.options,
        prompt=None,
        continues=False,
        resume=done.session,
        model=done.model or ground.options.model,
    )
    return ground_of(options, ground.variables)


async def _one_session(ground: Ground, first: str | None) -> Next:
    desk = _Desk(ground)
    questions = Questions(desk.console, desk.screen, desk.reader)
    seams = Seams(desk.watching, call_asker=questions, asker=questions)
    async with opened(ground, seams) as assembled:
        slash = Slash(assembled, desk.show)
        desk.sit_down(assembled, slash)
        talk = Talk(assembled, desk.screen, desk.reader, slash)
        return await talk.to_its_end(first)


class _Desk:
    """The terminal with what is on it: a screen, and somebody who reads lines."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._facts: Facts | None = None
        self._ledger = Ledger()
        self._names: tuple[str, ...] = ()
        self.console = Console(highlight=False)
        self.screen = Screen(self.console)
        self.reader = self._reader()

    def watching(self, session: Session, facts: Facts) -> Watcher:
        """The screen, from the time on when there is something to show."""
        ground = self._ground
        self._facts = facts
        self.console.print(Text(f"[MODEL: {ground.model} + {ground.digest_model}]", style="dim"))
        self.console.print(Text(f"[TRANSCRIPT: {session.path}]", style="dim"))
        return self.screen

    def sit_down(self, assembled: Assembled, slash: Slash) -> None:
        """From now on the session is there."""
        self._ledger, self._names = assembled.ledger, tuple(slash.names)

    def show(self, text: str) -> None:
        """What a command says."""
        self.screen.pause()
        self.console.print(Text(text))

    def _reader(self) -> TerminalReader | PlainReader:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return PlainReader()
        places = self._ground.places
        words = Words(lambda: self._names, places.project)
        history = places.claude_home / HISTORY
        return TerminalReader(history, words, self._toolbar, self._next_mode)

    def _toolbar(self) -> str:
        mode = self._facts.permissions.mode if self._facts else MODES[0]
        total = self._ledger.total
        price = f" · ${total.cost:.4f}" if total.cost else ""
        return f" {self._ground.model} · {mode} · {total.total_tokens} tokens{price} · /help"

    def _next_mode(self) -> None:
        if self._facts is not None:
            now = self._facts.permissions.mode
            place = BY_KEY.index(now) + 1 if now in BY_KEY else 0
            self._facts.permissions.mode = BY_KEY[place % len(BY_KEY)]
