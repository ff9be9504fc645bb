"""The terminal before there is a session: what is shown first, and who reads lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from rich.console import Console
from rich.text import Text

from mini_agent.coding.launch import Ground
from mini_agent.coding.options import MODES, Mode
from mini_agent.coding.terminal.commands import HELP
from mini_agent.coding.terminal.input import PlainReader, TerminalReader, Words
from mini_agent.net.terminal_text import visible

HISTORY: Final = "mini-agent-history"
# Everything else has to be chosen by name.
BY_KEY: Final[tuple[Mode, ...]] = ("default", "acceptEdits", "plan")


class Rights(Protocol):
    """Whatever has a mode that can be changed."""

    mode: Mode


class Desk:
    """Shows which model and which session; a session that is open `sits_down` at it."""

    def __init__(self, ground: Ground) -> None:
        self.console = Console(highlight=False)
        self._rights: Rights | None = None
        self._spent: Callable[[], str] = str
        self._names: tuple[str, ...] = tuple(HELP)
        self._mode: Mode | None = ground.options.permission_mode
        self.sit_down_at(ground)
        self.reader = self._reader()

    @property
    def ground(self) -> Ground:
        """The ground of the session that was announced."""
        options = replace(
            self._ground.options,
            resume=str(self._place.path),
            continues=False,
            permission_mode=self._mode,
        )
        return replace(self._ground, options=options)

    def sit_down_at(self, ground: Ground) -> None:
        """Announces a session."""
        self._ground, self._place = ground, ground.place()
        self.console.print(Text(f"[MODEL: {ground.model} + {ground.digest_model}]", style="dim"))
        if not ground.options.mcp:
            self.console.print(Text("[IMPLICIT --mcp builtin]", style="dim"))
        path = Text(f"[TRANSCRIPT: {self._place.path}]", style="dim")
        self.console.print(path, soft_wrap=True)

    def complain(self, why: str) -> None:
        """Says what is wrong."""
        self.console.print(Text(visible(why), style="red"), soft_wrap=True)

    def opened(self, rights: Rights, names: tuple[str, ...], spent: Callable[[], str]) -> None:
        """The session is there: its mode, its commands and its costs are shown."""
        self._rights, self._names, self._spent = rights, names, spent

    def _reader(self) -> TerminalReader | PlainReader:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return PlainReader()
        places = self._ground.places
        words = Words(lambda: self._names, places.project)
        history = places.claude_home / HISTORY
        return TerminalReader(history, words, self._toolbar, self._next_mode)

    def _toolbar(self) -> str:
        return f" {self._ground.model} · {self._now}{self._spent()} · /help"

    @property
    def _now(self) -> Mode:
        begun = self._mode or self._ground.rights.mode or MODES[0]
        return self._rights.mode if self._rights else begun

    def _next_mode(self) -> None:
        place = BY_KEY.index(self._now) + 1 if self._now in BY_KEY else 0
        self._mode = BY_KEY[place % len(BY_KEY)]
        if self._rights is not None:
            self._rights.mode = self._mode
