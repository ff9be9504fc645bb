"""The scripted model server: a real HTTP server on loopback, in a thread of its own."""

from __future__ import annotations

import socket
from dataclasses import replace
from types import TracebackType
from typing import Self

from mini_agent.testing.answer import Answer, json_answer
from mini_agent.testing.http import Request
from mini_agent.testing.library import EVERY_MODEL, Library, Models
from mini_agent.testing.replies_ import JsonValue
from mini_agent.testing.routes import Routes
from mini_agent.testing.script import Script, ScriptNotFollowed, playing
from mini_agent.testing.server import Serving


class ScriptedServer:
    """A model that says what its script says, in Ollama's and OpenAI's wire format.

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
        self._script = playing(script, repeat_last=repeat_last)
        self._routes = Routes(Library(models), self._script)
        self._seen: list[Request] = []
        self._serving: Serving | None = None

    def __enter__(self) -> Self:
        listening = socket.create_server(self._address, backlog=512)
        self._address = listening.getsockname()[:2]
        self._serving = Serving(listening, self._answer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._serving is not None:
            self._serving.stop()
        complaint = self._script.complaint()
        if complaint and error is None:
            raise ScriptNotFollowed(complaint)
        if complaint and error is not None:
            error.add_note(f"The scripted model: {complaint}")

    @property
    def port(self) -> int:
        """The port it listens on, known once the block is entered."""
        return self._address[1]

    @property
    def url(self) -> str:
        """Where Ollama's format is spoken, `http://127.0.0.1:PORT`."""
        return f"http://{self._address[0]}:{self.port}"

    @property
    def openai_url(self) -> str:
        """Where OpenAI's format is spoken, with the `/v1` that its clients want."""
        return f"{self.url}/v1"

    @property
    def requests(self) -> tuple[Request, ...]:
        """What the model was asked to answer, in order, refused requests included."""
        return tuple(request for request in self._seen if request.is_turn)

    @property
    def traffic(self) -> tuple[Request, ...]:
        """Every request, also pulls and the clients' probes of `/api/show`."""
        return tuple(self._seen)

    @property
    def connections(self) -> int:
        """How many connections were made so far, 0 before the block is entered."""
        return self._serving.connections if self._serving else 0

    def _answer(self, request: Request) -> Answer:
        if request.path == "/__log":
            return json_answer(200, [_logged(one) for one in self._seen])
        numbered = replace(request, number=len(self._seen) + 1)
        self._seen.append(numbered)
        return self._routes.answer(numbered)


def _logged(request: Request) -> JsonValue:
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
