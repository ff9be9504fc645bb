"""The guard's own socket: connections, the requests on them, and the log of those refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Final

from codex_sidecar.engine.exchange import Answer
from codex_sidecar.guard import answers
from codex_sidecar.guard.errors import EngineSaidNo, Malformed
from codex_sidecar.guard.gate import Gate
from codex_sidecar.guard.hand_over import handed_over
from codex_sidecar.guard.head import Head, parse
from codex_sidecar.guard.http import Incoming
from codex_sidecar.guard.relay import relay
from mini_agent_protocol.errors import MiniAgentError

SOCKET_MODE: Final = 0o660
MOST_CONNECTIONS: Final = 2048
PATIENCE_S: Final = 10.0

log = logging.getLogger(__name__)


class Server:
    """Serves a gate on a unix socket."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """Listens; afterwards every connection is closed and the socket is gone."""
        loop = asyncio.get_running_loop()
        with _place(path) as place:
            server = await loop.create_unix_server(lambda: Incoming(self._opened), sock=place)
            yield
            server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    def _opened(self, client: Incoming) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            client.close()
            return
        task = asyncio.create_task(self._serve(client))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, client: Incoming) -> None:
        try:
            while await self._one(client):
                pass
        except (EOFError, TimeoutError):
            pass
        except Exception:
            log.exception("unforeseen")
        finally:
            client.close()

    async def _one(self, client: Incoming) -> bool:
        """Serves one request; whether there may be another."""
        await client.begins()
        head: Head | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = parse(await client.head())
                body = await client.body(head.length)
            passed = await self._gate.pass_through(head, body)
        except MiniAgentError as error:
            _note(head, error)
            await client.send(answers.written(answers.refusal(error), closes=True))
            return False
        if isinstance(passed, Answer):
            await client.send(answers.written(passed, closes=head.closes))
            return not head.closes
        if not (head.takes_descriptor and handed_over(client, passed)):
            await relay(client, passed)
        return False


@contextmanager
def _place(path: Path) -> Iterator[socket]:
    # One that was killed leaves its socket behind.
    path.unlink(missing_ok=True)
    with socket(AF_UNIX) as place:
        place.bind(str(path))
        path.chmod(SOCKET_MODE)
        yield place
    path.unlink(missing_ok=True)


def _note(head: Head | None, error: MiniAgentError) -> None:
    what = {"method": head.method, "path": head.path[:200]} if head else {}
    # The engine's own no is the sidecar's to tell; nothing was tried that should not have been.
    level = logging.INFO if isinstance(error, EngineSaidNo) else logging.WARNING
    event = "malformed" if isinstance(error, Malformed) else error.code
    log.log(level, "refused", extra={"why": event, "said": error.message} | what)
