"""An execution as server-sent events: its output as it comes, the whole of it last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from typing import Final, Protocol

from starlette.types import Receive, Scope, Send

from codex_sidecar import metrics
from codex_sidecar.http.problems import answer
from codex_sidecar.http.relay import Relay
from codex_sidecar.runner.listener import Listener
from mini_agent_protocol.asgi.disconnect import ClientDisconnected
from mini_agent_protocol.asgi.event_stream import EventStreamResponse, with_keepalive
from mini_agent_protocol.asgi.problems import error_body, problem_of
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.problems import Problem
from mini_agent_protocol.sse import format_comment, format_event

KEEPALIVE_INTERVAL_S: Final = 15.0
LONGEST_FAREWELL_S: Final = 300.0

Run = Callable[[Listener], Coroutine[object, object, Execution]]
Note = Callable[[Execution], None]


class Wording(Protocol):
    """How a stream's events are written: each as whole lines, with the empty one at its end."""

    def output(self, output: Output) -> str:
        """A piece of output."""
        ...

    def execution(self, execution: Execution) -> str:
        """All of it, at the end."""
        ...

    def error(self, problem: Problem) -> str:
        """Why there is no execution."""
        ...


class Plain:
    """The wording of the sidecar's own routes: an event's name, and the value as JSON."""

    def output(self, output: Output) -> str:
        """A piece of output."""
        return format_event(output.model_dump_json(), event="output")

    def execution(self, execution: Execution) -> str:
        """All of it, at the end."""
        return format_event(execution.model_dump_json(), event="execution")

    def error(self, problem: Problem) -> str:
        """Why there is no execution."""
        return format_event(problem.model_dump_json(), event="error")


class ExecutionStream(EventStreamResponse):
    """Runs the snippet while it is sent; what fails before the program starts is a plain answer."""

    def __init__(self, run: Run, note: Note, wording: Wording) -> None:
        super().__init__(_Telling(run, note, wording).texts())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it; a client that leaves takes the snippet along."""
        try:
            await super().__call__(scope, receive, send)
        except MiniAgentError as failed:
            metrics.refused(failed.code)
            await answer(failed)(scope, receive, send)


class _Telling:
    def __init__(self, run: Run, note: Note, wording: Wording) -> None:
        self._run, self._note, self._wording = run, note, wording
        self._relay = Relay()

    async def texts(self) -> AsyncGenerator[str, None]:
        """All of the stream; raises what the run fails with before the program starts."""
        running = asyncio.create_task(self._run(self._relay))
        running.add_done_callback(lambda _: self._relay.wake())
        try:
            await self._relay.news()
            if running.done() and (failed := _failure(running)) is not None:
                raise failed
            yield format_comment("running")
            told = with_keepalive(self._events(running), "still running", KEEPALIVE_INTERVAL_S)
            async with aclosing(told):
                async for text in told:
                    yield text
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _events(self, running: asyncio.Task[Execution]) -> AsyncGenerator[str, None]:
        while not running.done():
            for output in self._relay.take():
                yield self._wording.output(output)
            await self._relay.news()
        # The sandbox is free by now. What is left to send is bounded, and so is the time for it.
        ends_at = asyncio.get_running_loop().time() + LONGEST_FAREWELL_S
        for text in self._farewell(running):
            if asyncio.get_running_loop().time() > ends_at:
                raise ClientDisconnected
            yield text

    def _farewell(self, running: asyncio.Task[Execution]) -> Iterator[str]:
        failed = _failure(running)
        if failed is not None:
            yield from map(self._wording.output, self._relay.take())
            yield self._wording.error(problem_of(error_body(failed)))
            return
        execution = running.result()
        self._note(execution)
        yield from map(self._wording.output, self._relay.rest(execution.truncated))
        yield self._wording.execution(execution)


def _failure(running: asyncio.Task[Execution]) -> MiniAgentError | None:
    """The error it ended with, if it is one of ours; any other is raised."""
    error = running.exception()
    if error is None or isinstance(error, MiniAgentError):
        return error
    raise error
