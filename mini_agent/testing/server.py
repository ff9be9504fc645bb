"""The scripted model server: an HTTP/1.1 server on loopback, in threads of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import BinaryIO, Final, Self

from mini_agent.testing.http import (
    MalformedRequest,
    Request,
    Response,
    json_response,
    read_request,
    text_response,
)
from mini_agent.testing.replies import JsonValue
from mini_agent.testing.routes import EVERY_MODEL, ModelLibrary, Models, Routes
from mini_agent.testing.script import Script, ScriptNotFollowed, create_player

MAX_CONNECTIONS: Final = 1000
MAX_READ_BYTES: Final = 64 * 1024
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class ScriptedServer:
    """A model server that replies as its script says, in Ollama's and OpenAI's wire format.

        with ScriptedServer([call("exec_python", code="print(6 * 7)"), "It is 42."]) as server:
            ...  # api_base=server.url for ollama/ and ollama_chat/, server.openai_url for openai/
        assert server.requests[1].messages[-1]["role"] == "tool"

    Leaving the block raises `ScriptNotFollowed` if replies are left over or were missing; not so
    with `repeat_last=True`, or when the script is a function from messages to a reply. Works the
    same in async tests. A function is called in a thread of the server, one call at a time.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        repeat_last: bool = False,
        models: Models = EVERY_MODEL,
    ) -> None:
        self._address = (host, port)
        self._script = create_player(script, repeat_last=repeat_last)
        self._routes = Routes(ModelLibrary(models), self._script)
        self._received: list[Request] = []
        self._server: HttpServer | None = None

    def __enter__(self) -> Self:
        listening = socket.create_server(self._address, backlog=512)
        self._address = listening.getsockname()[:2]
        self._server = HttpServer(listening, self._answer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.stop()
        deviation = self._script.describe_deviation()
        if deviation and error is None:
            raise ScriptNotFollowed(deviation)
        if deviation and error is not None:
            error.add_note(f"The scripted model: {deviation}")

    @property
    def port(self) -> int:
        """The port it listens on, known once the block is entered."""
        return self._address[1]

    @property
    def url(self) -> str:
        """The base URL of Ollama's format, `http://127.0.0.1:PORT`."""
        return f"http://{self._address[0]}:{self.port}"

    @property
    def openai_url(self) -> str:
        """The base URL of OpenAI's format, ending in `/v1`."""
        return f"{self.url}/v1"

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests for a reply, in order, refused ones included."""
        return tuple(request for request in self._received if request.is_model_request)

    @property
    def traffic(self) -> tuple[Request, ...]:
        """Every request, also pulls and the clients' probes of `/api/show`."""
        return tuple(self._received)

    @property
    def connections(self) -> int:
        """The number of connections made so far, 0 before the block is entered."""
        return self._server.connections if self._server else 0

    def _answer(self, request: Request) -> Response:
        if request.path == "/__log":
            return json_response(200, [_log_entry(one) for one in self._received])
        numbered = replace(request, number=len(self._received) + 1)
        self._received.append(numbered)
        return self._routes.answer(numbered)


def _log_entry(request: Request) -> JsonValue:
    return {
        "number": request.number,
        "method": request.method,
        "path": request.path,
        "model": request.model,
        "messages": list(request.messages),
        "tools": list(request.tools),
        "options": request.options,
        "stream": request.stream,
        "body": request.body,
    }


class HttpServer:
    """Answers requests on `listening` until it is stopped, and closes it."""

    def __init__(self, listening: socket.socket, answer: Callable[[Request], Response]) -> None:
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
        """The number of connections made so far, closed ones included."""
        return len(self._connections)

    def stop(self) -> None:
        """Close every connection, hanging ones too; raises what broke a connection's thread."""
        self._stopping.set()
        # INVARIANT: nothing is accepted any more before the open connections are shut.
        self._wake()
        self._accepting.join()
        for connection in tuple(self._open):
            _shutdown(connection)
        self._threads.shutdown()
        for ended in self._connections:
            ended.result()

    def _wake(self) -> None:
        """End a waiting accept: by shutdown on Linux, by a last connection elsewhere."""
        _shutdown(self._listening)
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
            except MalformedRequest as bad:
                return _refuse(connection, reader, str(bad))
            if request is None:
                return None
            with self._one_at_a_time:
                answer = self._answer(request)
            if answer.hangs:
                return _drain(reader)
            self._send(connection, answer, head_only=request.method == "HEAD")
            if answer.cut or not request.keeps_alive:
                return None
        return None

    def _send(self, connection: socket.socket, answer: Response, *, head_only: bool) -> None:
        self._stopping.wait(answer.after_s)
        if head_only:
            return connection.sendall(answer.head)
        if not answer.every_s:
            return connection.sendall(_frame(answer))
        connection.sendall(answer.head)
        for piece in answer.framed_pieces:
            connection.sendall(piece)
            self._stopping.wait(answer.every_s)
        return None


def _shutdown(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by the other side already
        connection.shutdown(socket.SHUT_RDWR)


def _refuse(connection: socket.socket, reader: BinaryIO, why: str) -> None:
    connection.sendall(_frame(text_response(400, why)))
    connection.shutdown(socket.SHUT_WR)
    # Closed with input unread, the connection would be reset before the client has the answer.
    _drain(reader)


def _frame(answer: Response) -> bytes:
    return b"".join((answer.head, *answer.framed_pieces))


def _drain(reader: BinaryIO) -> None:
    while reader.read(MAX_READ_BYTES):
        pass
