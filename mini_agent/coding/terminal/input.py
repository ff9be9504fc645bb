"""Readers of the user's lines: at a terminal with history and completion, or of plain input."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import clear_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.shortcuts import CompleteStyle

from mini_agent.coding.text_encoding import declared_encoding, decode_text

MAX_READ_BYTES: Final = 65_536
INPUT_FLAGS, LOCAL_FLAGS = 0, 3
ECHO_FLAGS: Final = termios.ECHO | termios.ICANON
MAX_FILES: Final = 50
EXIT_HINT: Final = "  Ctrl-C again leaves, as Ctrl-D does"


class TerminalReader:
    """Enter sends, Alt-Enter and Ctrl-J start a new line, Shift-Tab changes the mode."""

    def __init__(
        self,
        history: Path,
        completer: Completer,
        toolbar: Callable[[], str],
        next_mode: Callable[[], None],
    ) -> None:
        self._prompts: PromptSession[str] = PromptSession(
            history=_open_history(history),
            completer=completer,
            complete_style=CompleteStyle.MULTI_COLUMN,
            complete_while_typing=True,
            bottom_toolbar=toolbar,
            key_bindings=_prompt_keys(next_mode),
            multiline=True,
            prompt_continuation="  ",
        )
        self._questions: PromptSession[str] = PromptSession(key_bindings=_question_keys())
        self._ahead = TypeAhead(self._prompts.input)

    async def read_prompt(self) -> str | None:
        """Return the next prompt; None at the end. Ctrl-C empties the line, and twice leaves."""
        is_leaving = False
        while True:
            try:
                return await self._prompts.prompt_async("> ")
            except KeyboardInterrupt:
                is_empty = not self._prompts.default_buffer.text
                if is_empty and is_leaving:
                    return None
                is_leaving = is_empty
                if is_empty:
                    print(EXIT_HINT)
            except EOFError:
                return None

    def suppress_echo(self) -> AbstractContextManager[None]:
        """Turn off the echo of keys outside of prompts and questions."""
        return suppress_echo()

    def interruptible(self, stop: Callable[[], object]) -> AbstractContextManager[None]:
        """Let Esc call `stop` while a turn runs."""
        return self._ahead.interruptible(stop)

    def discard_input(self) -> None:
        """Discard what was typed before a question was shown."""
        self._ahead.discard_input()

    async def read_line(self, prompt: str) -> str | None:
        """Read the answer to a question; Ctrl-C and Esc stop the turn."""
        try:
            # The turn's own SIGINT handler must stay installed during a question.
            return await self._questions.prompt_async(prompt, handle_sigint=False)
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
            return None
        except EOFError:
            return None


class PlainReader:
    """Reads lines in the event loop: a thread blocked on standard input cannot be ended."""

    def __init__(self) -> None:
        self._buffer = b""

    async def read_prompt(self) -> str | None:
        """Return the next line; None at the end of the input."""
        return await self.read_line("> ")

    def suppress_echo(self) -> AbstractContextManager[None]:
        """Do nothing: plain input is not echoed."""
        return nullcontext()

    def interruptible(self, stop: Callable[[], object]) -> AbstractContextManager[None]:
        """Do nothing: there are no keys that stop a turn."""
        del stop
        return nullcontext()

    def discard_input(self) -> None:
        """Do nothing: lines answer questions in their order."""

    async def read_line(self, prompt: str) -> str | None:
        """Print `prompt` and return the next line; None at the end of the input."""
        print(prompt, end="", flush=True)
        descriptor = sys.stdin.fileno()
        while b"\n" not in self._buffer:
            await _wait_readable(descriptor)
            piece = os.read(descriptor, MAX_READ_BYTES)
            if not piece:
                break
            self._buffer += piece
        line, end, self._buffer = self._buffer.partition(b"\n")
        return decode_text(line, declared_encoding()).text if line or end else None


class TypeAhead:
    """The keys typed during a turn: Esc alone stops it, all others go to the next prompt."""

    def __init__(self, keys: Input) -> None:
        self._input = keys
        self._held_keys: list[KeyPress] = []

    @contextmanager
    def interruptible(self, stop: Callable[[], object]) -> Iterator[None]:
        """Read keys while a turn runs, except during a question, which reads its own."""

        def read() -> None:
            pressed = [*self._input.read_keys(), *self._input.flush_keys()]
            if [each.key for each in pressed] == [Keys.Escape]:
                stop()
            else:
                self._held_keys += pressed

        loop = asyncio.get_running_loop()
        # A shell that continues a program, after Ctrl-Z, resets the modes of the terminal.
        loop.add_signal_handler(signal.SIGCONT, _disable_echo)
        try:
            with self._input.attach(read):
                yield
        finally:
            loop.remove_signal_handler(signal.SIGCONT)
            store_typeahead(self._input, self._held_keys)
            self._held_keys = []

    def discard_input(self) -> None:
        """Discard what was typed so far."""
        with suppress(termios.error):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
        clear_typeahead(self._input)
        self._held_keys = []


class PromptCompleter(Completer):
    """Completes slash commands at the start of a line, and the project's files after `@`."""

    def __init__(self, commands: Callable[[], Iterable[str]], project: Path) -> None:
        self._commands = commands
        self._project = project

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Yield the completions of the word before the cursor."""
        del complete_event
        before = document.text_before_cursor
        word = before.split()[-1] if before and not before[-1].isspace() else ""
        if before.startswith("/") and " " not in before:
            for name in self._commands():
                if name.startswith(before[1:]):
                    yield Completion(f"/{name}", start_position=-len(before))
        elif word.startswith("@"):
            yield from self._files(word[1:])

    def _files(self, typed: str) -> Iterator[Completion]:
        folder, _, name = typed.rpartition("/")
        try:
            entries = sorted((self._project / folder).iterdir())
        except OSError:
            return
        matching = [path for path in entries if path.name.startswith(name) and path.name[0] != "."]
        for path in matching[:MAX_FILES]:
            end = "/" if path.is_dir() else ""
            yield Completion(f"{path.name}{end}", start_position=-len(name))


@contextmanager
def suppress_echo() -> Iterator[None]:
    """Turn off the terminal's echo; Enter stays Enter, and Ctrl-C a signal."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    _disable_echo()
    try:
        yield
    finally:
        # A closed terminal has no modes to restore.
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _disable_echo() -> None:
    descriptor = sys.stdin.fileno()
    with suppress(termios.error):
        modes = termios.tcgetattr(descriptor)
        modes[INPUT_FLAGS] &= ~termios.ICRNL
        modes[LOCAL_FLAGS] &= ~ECHO_FLAGS
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)


async def _wait_readable(descriptor: int) -> None:
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:
        # A regular file cannot be polled, and is always readable.
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def _open_history(path: Path) -> FileHistory | InMemoryHistory:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def _question_keys() -> KeyBindings:
    keys = KeyBindings()

    def stop(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    keys.add("escape", eager=True)(stop)
    return keys


def _prompt_keys(next_mode: Callable[[], None]) -> KeyBindings:
    keys = KeyBindings()

    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    def change_mode(event: KeyPressEvent) -> None:
        next_mode()
        event.app.invalidate()

    keys.add("enter")(send)
    keys.add("escape", "enter")(new_line)
    keys.add("c-j")(new_line)
    keys.add("s-tab")(change_mode)
    return keys
