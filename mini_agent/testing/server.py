"""HTTP/1.1 on a listening socket, in threads: reads requests, writes answers, leaves nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Final

from mini_agent.testing.answer import Answer, plain
from mini_agent.testing.http import BadHttp, Request, read_request

MAX_CONNECTIONS: Final = 1000
MAX_READ: Final = 64 * 1024
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Serving:
    """Answers what comes in on `listening`, which it closes, until it is stopped."""

    def __init__(self, listening: socket.socket, answer: Callable[[Request], Answer]) -> None:
        self._listening = listening
        self._address = listening.getsockname()[:2]
        self._answer = answer
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._connections: list[Future[None]] = []
        self._threads = ThreadPoolExecutor(MAX_CONNECTIONS, "scripted-connection")
        self._accepting = threading.Thread(target=self._accept, name="scripted-server")
        self._accepting.start()

    @property
    def connections(self) -> int:
        """How many were made so far, also those that are closed."""
        return len(self._connections)

    def stop(self) -> None:
        """Drops every connection, hanging ones too; raises what broke the server, if it broke."""
        self._stopping.set()
        # INVARIANT: nothing is accepted any more before the open connections are shut.
        self._wake()
        self._accepting.join()
        for connection in tuple(self._open):
            _shut(connection)
        self._threads.shutdown()
        for ended in self._connections:
            ended.result()

    def _wake(self) -> None:
        """Shutting the socket ends a waiting accept on Linux, a last caller does elsewhere."""
        _shut(self._listening)
        with contextlib.suppress(OSError):
            socket.create_connection(self._address, timeout=1).close()

    def _accept(self) -> None:
        with self._listening:
            while not self._stopping.is_set():
                try:
                    connection, _ = self._listening.accept()
                except OSError:  # shut by stop(), or the client left before it was let in
                    continue
                self._open.add(connection)
                self._connections.append(self._threads.submit(self._connection, connection))

    def _connection(self, connection: socket.socket) -> None:
        try:
            with (
                connection,
                contextlib.suppress(OSError, EOFError),
                connection.makefile("rb") as reader,
            ):
                self._requests(connection, reader)
        finally:
            self._open.discard(connection)

    def _requests(self, connection: socket.socket, reader: BinaryIO) -> None:
        while not self._stopping.is_set():
            try:
                request = read_request(reader, lambda: connection.sendall(CONTINUE))
            except BadHttp as bad:
                return _refuse(connection, reader, str(bad))
            if request is None:
                return None
            with self._one_at_a_time:
                answer = self._answer(request)
            if answer.hangs:
                return _until_gone(reader)
            self._send(connection, answer, head_only=request.method == "HEAD")
            if answer.cut or not request.keeps_alive:
                return None
        return None

    def _send(self, connection: socket.socket, answer: Answer, *, head_only: bool) -> None:
        self._stopping.wait(answer.after_s)
        if head_only:
            return connection.sendall(answer.head)
        if not answer.every_s:
            return connection.sendall(_whole(answer))
        connection.sendall(answer.head)
        for piece in answer.sent_pieces:
            connection.sendall(piece)
            self._stopping.wait(answer.every_s)
        return None


def _whole(answer: Answer) -> bytes:
    return b"".join((answer.head, *answer.sent_pieces))


def _refuse(connection: socket.socket, reader: BinaryIO, why: str) -> None:
    connection.sendall(_whole(plain(400, why)))
    connection.shutdown(socket.SHUT_WR)
    # Closed with input unread, the connection would be reset before the client has the answer.
    _until_gone(reader)


def _until_gone(reader: BinaryIO) -> None:
    while reader.read(MAX_READ):
        pass


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by the other side already
        connection.shutdown(socket.SHUT_RDWR)
