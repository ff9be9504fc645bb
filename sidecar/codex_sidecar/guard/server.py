"""Serves the policy on a unix socket: connections, requests, answers, and the log of refusals."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Final

from codex_sidecar.engine.connection import EngineResponse
from codex_sidecar.guard.errors import EngineErrorResponse, MalformedRequest, RequestRefused
from codex_sidecar.guard.http import BufferedConnection, RequestHead, parse_head
from codex_sidecar.guard.policy import Policy
from codex_sidecar.guard.relay import hand_over, relay_bytes
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.problems import ErrorBody, Problem

SOCKET_MODE: Final = 0o660
MAX_CONNECTIONS: Final = 2048
REQUEST_TIMEOUT_S: Final = 10.0

log = logging.getLogger(__name__)


class GuardServer:
    """Serves a policy on a unix socket."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listen(self, path: Path) -> AsyncIterator[None]:
        """Listen; afterwards every connection is closed and the socket is removed."""
        loop = asyncio.get_running_loop()
        with _bind(path) as listener:
            server = await loop.create_unix_server(
                lambda: BufferedConnection(self._opened), sock=listener
            )
            yield
            server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    def _opened(self, client: BufferedConnection) -> None:
        if len(self._open) >= MAX_CONNECTIONS:
            client.close()
            return
        task = asyncio.create_task(self._serve(client))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, client: BufferedConnection) -> None:
        try:
            while await self._serve_request(client):
                pass
        except (EOFError, TimeoutError):
            pass
        except Exception:
            log.exception("unforeseen")
        finally:
            client.close()

    async def _serve_request(self, client: BufferedConnection) -> bool:
        """Serve one request; returns whether there may be another."""
        await client.wait_readable()
        head: RequestHead | None = None
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                head = parse_head(await client.read_head())
                body = await client.read_body(head.length)
            result = await self._policy.handle(head, body)
        except MiniAgentError as error:
            _log_refusal(head, error)
            await client.send(encode_response(build_refusal(error), closes=True))
            return False
        if isinstance(result, EngineResponse):
            await client.send(encode_response(result, closes=head.closes))
            return not head.closes
        if not (head.takes_descriptor and hand_over(client, result)):
            await relay_bytes(client, result)
        return False


@contextmanager
def _bind(path: Path) -> Iterator[socket]:
    # A guard that was killed leaves its socket behind.
    path.unlink(missing_ok=True)
    with socket(AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(SOCKET_MODE)
        yield listener
    path.unlink(missing_ok=True)


def _log_refusal(head: RequestHead | None, error: MiniAgentError) -> None:
    what = {"method": head.method, "path": head.path[:200]} if head else {}
    # An engine's error is not an attempt at something that is denied.
    level = logging.INFO if isinstance(error, EngineErrorResponse) else logging.WARNING
    event = "malformed" if isinstance(error, MalformedRequest) else error.code
    log.log(level, "refused", extra={"why": event, "said": error.message} | what)


def encode_response(response: EngineResponse, *, closes: bool) -> bytes:
    """Encode an answer as HTTP."""
    phrase = HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    if response.body:
        lines.append("Content-Type: application/json")
    if response.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        lines.append(f"Content-Length: {len(response.body)}")
    lines.append(f"Connection: {'close' if closes else 'keep-alive'}")
    return "\r\n".join([*lines, "", ""]).encode() + response.body


def build_refusal(error: MiniAgentError) -> EngineResponse:
    """Build the answer to an error: the project's body, with Docker's `message` beside it."""
    body = ErrorBody(
        code=error.code, message=error.message, hint=error.hint, retryable=error.retryable
    )
    whole = {"message": error.message} | Problem(error=body).model_dump()
    return EngineResponse(_select_status(error), json.dumps(whole).encode())


def _select_status(error: MiniAgentError) -> int:
    if isinstance(error, (RequestRefused, EngineErrorResponse)):
        return error.status
    return HTTPStatus.BAD_GATEWAY
