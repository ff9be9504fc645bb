"""The terminal across sessions: its header, its reader of lines, and the toolbar."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from rich.console import Console
from rich.text import Text

from mini_agent.coding.launch import LaunchConfig, trust_project
from mini_agent.coding.options import PERMISSION_MODES, PermissionMode
from mini_agent.coding.terminal.commands import COMMAND_HELP
from mini_agent.coding.terminal.input import PlainReader, PromptCompleter, TerminalReader
from mini_agent.net.terminal_text import escape_controls

TRUST_WORDS: Final = ("y", "yes")
TRUST_QUESTION: Final = """
Do you trust the files of this folder? {folder}
These start commands on your machine, with your rights, or allow them:
{lines}
  y trust exactly this folder and these files   n leave them out, and go on"""
NOT_TRUSTED: Final = "they are left out; what they deny holds"
HISTORY_FILE: Final = "mini-agent-history"
# The modes that Shift-Tab cycles through; others are set by name only.
CYCLED_MODES: Final[tuple[PermissionMode, ...]] = ("default", "acceptEdits", "plan")


class ModeHolder(Protocol):
    """Has a permission mode that can be changed."""

    mode: PermissionMode


class TerminalConsole:
    """Prints the header of each session, and reads lines with the mode in a toolbar."""

    def __init__(self, launch: LaunchConfig) -> None:
        self.console = Console(highlight=False)
        self._mode_holder: ModeHolder | None = None
        self._format_spent: Callable[[], str] = str
        self._command_names: tuple[str, ...] = tuple(COMMAND_HELP)
        self._mode: PermissionMode | None = launch.options.permission_mode
        self.show_session(launch)
        self.reader = self._reader()

    @property
    def launch(self) -> LaunchConfig:
        """The launch configuration of the session shown last, with the mode set meanwhile."""
        options = replace(self._launch.options, permission_mode=self._mode)
        return replace(self._launch, options=options, session_file=self.session_file)

    def show_session(self, launch: LaunchConfig) -> None:
        """Print the models and the transcript of a session."""
        self._launch, self.session_file = launch, launch.select_session_file()
        self.console.print(Text(f"[MODEL: {launch.model} + {launch.digest_model}]", style="dim"))
        if not launch.options.mcp:
            self.console.print(Text("[IMPLICIT --mcp builtin]", style="dim"))
        path = Text(f"[TRANSCRIPT: {self.session_file.path}]", style="dim")
        self.console.print(path, soft_wrap=True)

    async def ask_trust(self, launch: LaunchConfig) -> LaunchConfig:
        """Ask whether the project's files may start commands; return the launch configuration.

        Where nobody types at a terminal nobody is asked, and they may not.
        """
        if launch.is_trusted or not launch.commands.files or isinstance(self.reader, PlainReader):
            return launch
        lines = "\n".join(f"    {line}" for line in launch.commands.describe())
        question = TRUST_QUESTION.format(folder=launch.paths.project, lines=lines)
        self.console.print(Text(escape_controls(question), style="bold"), soft_wrap=True)
        self.reader.discard_input()
        answer = await self.reader.read_line("trust? ")
        if (answer or "").strip().lower() not in TRUST_WORDS:
            self.console.print(Text(NOT_TRUSTED, style="dim"))
            return launch
        trusted = trust_project(launch)
        self._launch = replace(trusted, options=self._launch.options)
        return trusted

    def show_error(self, why: str) -> None:
        """Print an error."""
        self.console.print(Text(escape_controls(why), style="red"), soft_wrap=True)

    def attach_session(
        self,
        mode_holder: ModeHolder,
        command_names: tuple[str, ...],
        format_spent: Callable[[], str],
    ) -> None:
        """Connect the toolbar and the completion to an open session."""
        self._mode_holder, self._command_names, self._format_spent = (
            mode_holder,
            command_names,
            format_spent,
        )

    def _reader(self) -> TerminalReader | PlainReader:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return PlainReader()
        places = self._launch.paths
        words = PromptCompleter(lambda: self._command_names, places.project)
        history = places.claude_home / HISTORY_FILE
        return TerminalReader(history, words, self._toolbar, self._next_mode)

    def _toolbar(self) -> str:
        return f" {self._launch.model} · {self._current_mode}{self._format_spent()} · /help"

    @property
    def _current_mode(self) -> PermissionMode:
        configured = self._mode or self._launch.permission_settings.mode or PERMISSION_MODES[0]
        return self._mode_holder.mode if self._mode_holder else configured

    def _next_mode(self) -> None:
        place = (
            CYCLED_MODES.index(self._current_mode) + 1 if self._current_mode in CYCLED_MODES else 0
        )
        self._mode = CYCLED_MODES[place % len(CYCLED_MODES)]
        if self._mode_holder is not None:
            self._mode_holder.mode = self._mode
