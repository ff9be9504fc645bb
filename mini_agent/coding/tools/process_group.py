"""A command in a process group of its own, and readers of its pipes that keep head and tail."""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from mini_agent.coding.tools.non_interactive import (
    PROMPT_IDLE_S,
    REPEATED_LINES,
    find_repeated,
    find_waiting,
)
from mini_agent.coding.tools.terminal_output import TerminalOutput
from mini_agent.tools.invoker import OutputListener
from mini_agent_protocol.execution import Output

MAX_CHARS: Final = 30_000
HEAD_CHARS: Final = 10_000
# What a listener gets of one stream: nobody follows megabytes on a screen.
MAX_STREAMED_BYTES: Final = 1 << 18
# One second between SIGTERM and SIGKILL.
STOP_CHECKS: Final = 50
STOP_INTERVAL_S: Final = 0.02
DRAIN_TIMEOUT_S: Final = 0.5


class PipeReader(asyncio.Protocol):
    """Reads a pipe in the event loop; keeps the beginning and the end of the text that comes."""

    def __init__(self, stream: Literal["stdout", "stderr"], listener: OutputListener) -> None:
        self._stream, self._listener = stream, listener
        self._streamed_bytes = 0
        self._screen = TerminalOutput()
        self._text = _BoundedText()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stream_decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.closed = asyncio.Event()
        self.changed_at = time.monotonic()

    @property
    def recent_lines(self) -> list[str]:
        """Return the last lines; the last one has not ended yet."""
        return self._screen.recent_lines(REPEATED_LINES)

    def data_received(self, data: bytes) -> None:
        """Keep a piece, and pass it to the listener up to `MAX_STREAMED_BYTES`."""
        self.changed_at = time.monotonic()
        self._text.add(self._screen.feed(self._decoder.decode(data)))
        if self._streamed_bytes < MAX_STREAMED_BYTES:
            self._streamed_bytes += len(data)
            text = self._stream_decoder.decode(data[:MAX_STREAMED_BYTES])
            if text:
                self._listener(Output(stream=self._stream, text=text))

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that no process has the writing end any more."""
        del exc
        self.closed.set()

    def take(self) -> str:
        """Return the output since the last call, the middle left out if it is too long."""
        if self.closed.is_set():
            self._text.add(self._screen.feed(self._decoder.decode(b"", final=True)))
        self._text.add(self._screen.finish())
        return self._text.take()


class _BoundedText:
    """The beginning and the end of a text that comes in pieces."""

    def __init__(self) -> None:
        self._head, self._tail, self._left_out = "", list[str](), 0
        self._tail_chars = 0

    def add(self, piece: str) -> None:
        """Append a piece."""
        room = HEAD_CHARS - len(self._head)
        self._head += piece[:room]
        rest = piece[room:]
        if rest:
            self._tail.append(rest)
            self._tail_chars += len(rest)
        if self._tail_chars > 2 * MAX_CHARS:
            self._shrink()

    def take(self) -> str:
        """Return the text, and forget it."""
        if self._tail_chars > MAX_CHARS - HEAD_CHARS:
            self._shrink()
        tail = "".join(self._tail)
        cut = f"\n... ({self._left_out} characters left out) ...\n" if self._left_out else ""
        text = f"{self._head}{cut}{tail}"
        self._head, self._tail, self._left_out, self._tail_chars = "", [], 0, 0
        return text

    def _shrink(self) -> None:
        tail = "".join(self._tail)
        kept = tail[HEAD_CHARS - MAX_CHARS :]
        self._left_out += len(tail) - len(kept)
        self._tail, self._tail_chars = [kept], len(kept)


@dataclass(slots=True)
class ProcessGroup:
    """A running command; its starter has to call `close`."""

    process: asyncio.subprocess.Process
    stdout: PipeReader
    stderr: PipeReader
    transports: tuple[asyncio.ReadTransport, ...]
    has_leftovers: bool = field(default=False)

    async def wait(self) -> int:
        """Return the exit code as a shell gives it; kill what the command left running."""
        code = await self.process.wait()
        self.has_leftovers = self._signal(signal.SIGKILL)
        await self._drain()
        return code if code >= 0 else 128 - code

    def find_prompt(self) -> str:
        """Return the question that nobody answers; empty if the command does not wait for input.

        The output has stood at it for some seconds, or asks it again and again.
        """
        streams = (self.stderr, self.stdout)
        changed_at = max(stream.changed_at for stream in streams)
        is_idle = time.monotonic() - changed_at >= PROMPT_IDLE_S
        find = find_waiting if is_idle else find_repeated
        return next(filter(None, (find(stream.recent_lines) for stream in streams)), "")

    async def stop(self) -> None:
        """Send SIGTERM to the group, and SIGKILL after a second."""
        self._signal(signal.SIGTERM)
        for _ in range(STOP_CHECKS):
            if not self._signal(0):
                break
            await asyncio.sleep(STOP_INTERVAL_S)
        await self.kill()

    async def kill(self) -> None:
        """Send SIGKILL to the group."""
        self._signal(signal.SIGKILL)
        await self.process.wait()
        await self._drain()

    def close(self) -> None:
        """Close the pipes."""
        for transport in self.transports:
            transport.close()

    def _signal(self, number: int) -> bool:
        """Send a signal; return whether the group still has a process."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    async def _drain(self) -> None:
        # A process that has left the group may hold the pipe open; do not wait for its end.
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                await self.stdout.closed.wait()
                await self.stderr.closed.wait()


async def start_group(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], listener: OutputListener
) -> ProcessGroup:
    """Start the command, with no standard input."""
    stdout = await _open_pipe("stdout", listener)
    stderr = await _open_pipe("stderr", listener)
    with ExitStack() as undo, ExitStack() as ours:
        for pipe in (stdout, stderr):
            undo.callback(pipe.transport.close)
            ours.callback(os.close, pipe.writing_end)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout.writing_end,
            stderr=stderr.writing_end,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
        undo.pop_all()
    return ProcessGroup(process, stdout.reader, stderr.reader, (stdout.transport, stderr.transport))


async def _open_pipe(stream: Literal["stdout", "stderr"], listener: OutputListener) -> _Pipe:
    # Not asyncio's pipes: with those, `wait` hangs while a child holds the writing end.
    reading_end, writing_end = os.pipe()
    transport, reader = await asyncio.get_running_loop().connect_read_pipe(
        lambda: PipeReader(stream, listener), os.fdopen(reading_end, "rb", 0)
    )
    return _Pipe(reader, transport, writing_end)


@dataclass(frozen=True, slots=True)
class _Pipe:
    reader: PipeReader
    transport: asyncio.ReadTransport
    writing_end: int
