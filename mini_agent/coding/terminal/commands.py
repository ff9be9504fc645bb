"""Slash commands: those of the program, and those that users and projects write."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from mini_agent.coding.bootstrap import Assembled
from mini_agent.coding.checks import checked_up, told
from mini_agent.coding.compaction import Wish
from mini_agent.coding.front_matter import Document, documents_in
from mini_agent.coding.options import MODES
from mini_agent.coding.prompts.server import tell_mode
from mini_agent.coding.terminal.export import export
from mini_agent.coding.terminal.help import HELP, LEFT, Next
from mini_agent.coding.terminal.reports import (
    agents_report,
    context_report,
    cost_report,
    hooks_report,
    mcp_report,
    permissions_report,
    sessions_report,
)
from mini_agent.coding.transcript.locations import place_named, sessions_in
from mini_agent.errors import BadRequest

KEYS: Final = "Alt-Enter begins a new line, @ completes files, Esc or Ctrl-C stops."
WORDS: Final = re.compile(r"\$(ARGUMENTS|[1-9])")


@dataclass(frozen=True, slots=True)
class Say:
    """A prompt that a command stands for."""

    text: str


Done: TypeAlias = Next | Say | None
Command: TypeAlias = Callable[[str], Awaitable[Done]]


class Slash:
    """The commands of one session; `show` prints what they have to say."""

    def __init__(self, assembled: Assembled, show: Callable[[str], None]) -> None:
        self._assembled = assembled
        self._show = show
        self._own = _own_commands(assembled)
        self._plain: Mapping[str, Callable[[], str]] = {
            "help": self._help,
            "context": lambda: context_report(assembled),
            "mcp": lambda: mcp_report(assembled.facts),
            "agents": lambda: agents_report(assembled.kinds),
            "hooks": lambda: hooks_report(assembled.facts.ground.settings),
            "cost": lambda: cost_report(assembled.ledger),
            "doctor": lambda: told(checked_up(assembled.facts.ground)),
        }
        self._others: Mapping[str, Command] = {
            "clear": self._clear,
            "compact": self._compact,
            "resume": self._resume,
            "model": self._model,
            "permissions": self._permissions,
            "plan": self._plan,
            "export": self._export,
            "exit": self._exit,
            "quit": self._exit,
        }

    @property
    def names(self) -> Iterable[str]:
        """All commands, for completion."""
        return (*HELP, *self._own)

    async def carried_out(self, said: str) -> Done:
        """What follows from a command; one that nobody knows shows the list."""
        name, _, argument = said[1:].strip().partition(" ")
        if name in self._plain:
            self._show(self._plain[name]())
        elif name in self._others:
            return await self._others[name](argument.strip())
        elif name in self._own:
            return Say(_filled_in(self._own[name], argument.strip()))
        else:
            self._show(f"there is no command /{name}\n{self._help()}")
        return None

    def _help(self) -> str:
        own = {name: each.keys.get("description", "") for name, each in self._own.items()}
        lines = [f"/{name:<12} {what}" for name, what in {**HELP, **own}.items()]
        return "\n".join((*lines, KEYS))

    async def _clear(self, argument: str) -> Done:
        del argument
        return Next(goes_on=True, why="clear")

    async def _exit(self, argument: str) -> Done:
        del argument
        return LEFT

    async def _compact(self, argument: str) -> Done:
        await self._assembled.assistant.compact(Wish(argument))
        self._show("the conversation is a summary now")
        return None

    async def _resume(self, argument: str) -> Done:
        listed = sessions_in(self._assembled.facts.ground.sessions)
        if not argument:
            self._show(sessions_report(listed))
            return None
        if argument.isdigit() and 1 <= int(argument) <= len(listed):
            argument = listed[int(argument) - 1].place.session_id
        if not place_named(argument, self._assembled.facts.ground.sessions).exists:
            raise BadRequest(f"there is no session {argument:.80}", hint="/resume lists them")
        return Next(goes_on=True, session=argument, why="resume")

    async def _model(self, argument: str) -> Done:
        if not argument:
            self._show(f"{self._assembled.facts.ground.model} answers; /model NAME changes that")
            return None
        session = self._assembled.assistant.session
        named = str(session.path) if session.path.exists() else ""
        return Next(goes_on=True, session=named, model=argument)

    async def _permissions(self, argument: str) -> Done:
        permissions = self._assembled.facts.permissions
        for mode in MODES:
            if mode == argument:
                permissions.mode = mode
        if argument and argument not in MODES:
            raise BadRequest(
                f"there is no mode {argument!r:.40}", hint=f"one of {', '.join(MODES)}"
            )
        self._show(permissions_report(permissions))
        return None

    async def _plan(self, argument: str) -> Done:
        permissions = self._assembled.facts.permissions
        wanted = argument or ("false" if permissions.mode == "plan" else "true")
        if wanted not in ("true", "false"):
            raise BadRequest(f"/plan {argument:.40}?", hint="write /plan true or /plan false")
        permissions.mode = "plan" if wanted == "true" else "default"
        await tell_mode(self._assembled.assistant.servers, permissions.mode)
        self._show(f"plan mode is {'on' if wanted == 'true' else 'off'}")
        return None

    async def _export(self, argument: str) -> Done:
        session = self._assembled.assistant.session
        folder = self._assembled.facts.ground.places.project
        path = folder / (argument or f"session-{session.id[:8]}.md")
        export(session, path)
        self._show(f"written to {path}")
        return None


def _own_commands(assembled: Assembled) -> dict[str, Document]:
    """Those of `.claude/commands` and, by the name of their folder, of `.claude/skills`."""
    places = assembled.facts.ground.places
    roots: list[Path] = [places.claude_home, places.project / ".claude"]
    commands = documents_in([root / "commands" for root in roots])
    skills = documents_in([root / "skills" for root in roots], "*/SKILL.md")
    return {**skills, **commands}


def _filled_in(command: Document, argument: str) -> str:
    """Its text with the words behind the command: all of them, or the first, the second, ..."""
    words = argument.split()

    def word(place: re.Match[str]) -> str:
        if place[1] == "ARGUMENTS":
            return argument
        number = int(place[1])
        return words[number - 1] if number <= len(words) else ""

    text, places = WORDS.subn(word, command.text)
    return text if places else f"{command.text}\n\n{argument}".strip()
