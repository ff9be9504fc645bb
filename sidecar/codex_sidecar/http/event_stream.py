"""Answers a call that runs a snippet: as one execution, or as server-sent events while it runs."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from codex_sidecar import metrics
from codex_sidecar.http.problems import create_error_response
from codex_sidecar.runner.output import Listener, NullListener, StreamName
from mini_agent_protocol.asgi.disconnect import (
    CLIENT_CLOSED_REQUEST,
    ClientDisconnected,
    run_while_connected,
)
from mini_agent_protocol.asgi.event_stream import EventStreamResponse, with_keepalive
from mini_agent_protocol.asgi.problems import build_problem, error_body
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.execution import Execution, Output, Truncated
from mini_agent_protocol.problems import Problem
from mini_agent_protocol.sse import MEDIA_TYPE, format_comment, format_event

KEEPALIVE_INTERVAL_S: Final = 15.0
MAX_FLUSH_S: Final = 300.0
MAX_PIECES: Final = 256
MAX_PIECE_CHARS: Final = 65_536

RunSnippet = Callable[[Listener], Coroutine[object, object, Execution]]
OnExecution = Callable[[Execution], None]


@dataclass(slots=True)
class _Piece:
    stream: StreamName
    content: bytearray = field(default_factory=bytearray)


class OutputBuffer:
    """A listener that buffers output until it is taken.

    The snippet never waits for the reader. No more is buffered than the execution itself keeps
    (`limits.output_bytes` of each stream), so all pieces of a stream together are its `stdout` or
    `stderr`. Up to MAX_PIECES pieces keep their order; beyond that, those of a stream are joined.
    """

    def __init__(self) -> None:
        self.is_running = False
        self._pieces: deque[_Piece] = deque()
        self._changed = asyncio.Event()
        self._decoders = {
            name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")
        }

    def on_start(self) -> None:
        """The program has started."""
        self.is_running = True
        self._changed.set()

    def on_output(self, stream: StreamName, content: bytes) -> None:
        """Buffer the content."""
        self._current_piece(stream).content.extend(content)
        self._changed.set()

    def wake(self) -> None:
        """Let `wait` return."""
        self._changed.set()

    async def wait(self) -> None:
        """Return when there is something to take, or `wake` was called."""
        await self._changed.wait()
        self._changed.clear()

    def take(self) -> Iterator[Output]:
        """Take what has come since the last call; an incomplete character stays."""
        while self._pieces:
            piece = self._pieces.popleft()
            text = self._decoders[piece.stream].decode(bytes(piece.content))
            yield from _split(piece.stream, text)

    def flush(self, truncated: Truncated) -> Iterator[Output]:
        """Take the rest once the program is over; what the limit cut in half is left out."""
        yield from self.take()
        if not truncated.stdout:
            yield from _split("stdout", self._decoders["stdout"].decode(b"", final=True))
        if not truncated.stderr:
            yield from _split("stderr", self._decoders["stderr"].decode(b"", final=True))

    def _current_piece(self, stream: StreamName) -> _Piece:
        if self._pieces and self._pieces[-1].stream == stream:
            return self._pieces[-1]
        if len(self._pieces) >= MAX_PIECES:
            return next(piece for piece in reversed(self._pieces) if piece.stream == stream)
        self._pieces.append(_Piece(stream))
        return self._pieces[-1]


def _split(stream: StreamName, text: str) -> Iterator[Output]:
    for start in range(0, len(text), MAX_PIECE_CHARS):
        yield Output(stream=stream, text=text[start : start + MAX_PIECE_CHARS])


class EventFormat(Protocol):
    """How the events of a stream are written: whole lines, an empty one at the end."""

    def output(self, output: Output) -> str:
        """Format a piece of output."""
        ...

    def execution(self, execution: Execution) -> str:
        """Format the execution, at the end."""
        ...

    def error(self, problem: Problem) -> str:
        """Format the error, where there is no execution."""
        ...


class PlainEventFormat:
    """The format of the sidecar's own routes: an event's name, and the value as JSON."""

    def output(self, output: Output) -> str:
        """Format a piece of output."""
        return format_event(output.model_dump_json(), event="output")

    def execution(self, execution: Execution) -> str:
        """Format the execution, at the end."""
        return format_event(execution.model_dump_json(), event="execution")

    def error(self, problem: Problem) -> str:
        """Format the error, where there is no execution."""
        return format_event(problem.model_dump_json(), event="error")


class ExecutionStream(EventStreamResponse):
    """Runs the snippet while it is streamed; an error before its start is a plain answer."""

    def __init__(
        self, run: RunSnippet, on_execution: OnExecution, event_format: EventFormat
    ) -> None:
        super().__init__(_EventSource(run, on_execution, event_format).stream())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream; a client that disconnects ends the snippet."""
        try:
            await super().__call__(scope, receive, send)
        except MiniAgentError as error:
            metrics.record_error(error.code)
            await create_error_response(error)(scope, receive, send)


class _EventSource:
    def __init__(
        self, run: RunSnippet, on_execution: OnExecution, event_format: EventFormat
    ) -> None:
        self._run, self._on_execution, self._format = run, on_execution, event_format
        self._buffer = OutputBuffer()

    async def stream(self) -> AsyncGenerator[str, None]:
        """Yield all events; raises what the run fails with before the program starts."""
        running = asyncio.create_task(self._run(self._buffer))
        running.add_done_callback(lambda _: self._buffer.wake())
        try:
            await self._buffer.wait()
            if running.done() and (error := _get_failure(running)) is not None:
                raise error
            yield format_comment("running")
            events = with_keepalive(self._events(running), "still running", KEEPALIVE_INTERVAL_S)
            async with aclosing(events):
                async for text in events:
                    yield text
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _events(self, running: asyncio.Task[Execution]) -> AsyncGenerator[str, None]:
        while not running.done():
            for output in self._buffer.take():
                yield self._format.output(output)
            await self._buffer.wait()
        # The sandbox is free by now. What remains is bounded, and so is the time to send it.
        ends_at = asyncio.get_running_loop().time() + MAX_FLUSH_S
        for text in self._final_events(running):
            if asyncio.get_running_loop().time() > ends_at:
                raise ClientDisconnected
            yield text

    def _final_events(self, running: asyncio.Task[Execution]) -> Iterator[str]:
        error = _get_failure(running)
        if error is not None:
            yield from map(self._format.output, self._buffer.take())
            yield self._format.error(build_problem(error_body(error)))
            return
        execution = running.result()
        self._on_execution(execution)
        yield from map(self._format.output, self._buffer.flush(execution.truncated))
        yield self._format.execution(execution)


def _get_failure(running: asyncio.Task[Execution]) -> MiniAgentError | None:
    """Return the error it ended with, if it is one of ours; raise any other."""
    error = running.exception()
    if error is None or isinstance(error, MiniAgentError):
        return error
    raise error


async def respond(request: Request, run: RunSnippet) -> Response:
    """Run the snippet for as long as the client is connected."""
    if MEDIA_TYPE in request.headers.get("accept", ""):
        return respond_with_events(request, run, PlainEventFormat())
    try:
        execution = await run_while_connected(request.receive, run(NullListener()))
    except ClientDisconnected:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    _record_outcome(request, execution)
    return Response(execution.model_dump_json(), media_type="application/json")


def respond_with_events(request: Request, run: RunSnippet, event_format: EventFormat) -> Response:
    """Run the snippet for as long as the client reads the events."""
    return ExecutionStream(run, lambda execution: _record_outcome(request, execution), event_format)


def _record_outcome(request: Request, execution: Execution) -> None:
    request.state.noted = {"language": execution.language, "outcome": execution.status}
