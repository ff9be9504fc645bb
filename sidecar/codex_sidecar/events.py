"""An execution as server-sent events: its output as it comes, the whole of it last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from codex_sidecar import metrics
from codex_sidecar.connected import while_connected
from codex_sidecar.listener import Listener
from codex_sidecar.problems import answer, problem_of
from codex_sidecar.relay import Relay
from mini_agent.errors import MiniAgentError, Problem
from mini_agent.sandbox import Execution, Output

MEDIA_TYPE: Final = "text/event-stream"
SIGN_OF_LIFE_S: Final = 15.0
MOST_PATIENCE_S: Final = 60.0
LONGEST_FAREWELL_S: Final = 300.0
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)

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
        return f"event: output\ndata: {output.model_dump_json()}\n\n"

    def execution(self, execution: Execution) -> str:
        """All of it, at the end."""
        return f"event: execution\ndata: {execution.model_dump_json()}\n\n"

    def error(self, problem: Problem) -> str:
        """Why there is no execution."""
        return f"event: error\ndata: {problem.model_dump_json()}\n\n"


class EventStream(Response):
    """Runs the snippet while it is sent; what fails before the program starts is a plain answer."""

    def __init__(self, run: Run, note: Note, wording: Wording) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        self._run, self._note, self._wording = run, note, wording

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it; a client that leaves takes the snippet along."""
        await while_connected(receive, self._served(scope, receive, send))

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        relay = Relay()
        running = asyncio.create_task(self._run(relay))
        running.add_done_callback(lambda _: relay.wake())
        try:
            await relay.news()
            if running.done() and (failed := _failure(running)) is not None:
                metrics.refused(failed.code)
                plain = answer(failed, scope["state"]["request_id"])
                await plain(scope, receive, send)
                return
            sender = _Sender(send, scope["state"]["request_id"], self._wording)
            await sender.send_all(relay, running, self._note)
        except TimeoutError:
            # A client that takes nothing any more is as good as gone: the server hangs up.
            return
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


class _Sender:
    def __init__(self, send: Send, request_id: str, wording: Wording) -> None:
        self._send, self._request_id, self._wording = send, request_id, wording

    async def send_all(self, relay: Relay, running: asyncio.Task[Execution], note: Note) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        await self._write(": running\n\n")
        while not running.done():
            for output in relay.take():
                await self._write(self._wording.output(output))
            await self._news_or_sign_of_life(relay)
        # The sandbox is free by now. What is left to send is bounded, and so is the time for it.
        async with asyncio.timeout(LONGEST_FAREWELL_S):
            await self._farewell(relay, running, note)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _farewell(self, relay: Relay, running: asyncio.Task[Execution], note: Note) -> None:
        failed = _failure(running)
        if failed is not None:
            for output in relay.take():
                await self._write(self._wording.output(output))
            await self._write(self._wording.error(problem_of(failed, self._request_id)))
            return
        execution = running.result()
        note(execution)
        for output in relay.rest(execution.truncated):
            await self._write(self._wording.output(output))
        await self._write(self._wording.execution(execution))

    async def _news_or_sign_of_life(self, relay: Relay) -> None:
        try:
            async with asyncio.timeout(SIGN_OF_LIFE_S):
                await relay.news()
        except TimeoutError:
            await self._write(": still running\n\n")

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(MOST_PATIENCE_S):
            await self._send(
                {"type": "http.response.body", "body": text.encode(), "more_body": True}
            )


def _failure(running: asyncio.Task[Execution]) -> MiniAgentError | None:
    """The error it ended with, if it is one of ours; any other is raised."""
    error = running.exception()
    if error is None or isinstance(error, MiniAgentError):
        return error
    raise error
