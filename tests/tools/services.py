"""A service that is asked over HTTP: answers in order, the last one again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.shim.serving import serve_app


@dataclass(frozen=True)
class Asked:
    line: str
    body: bytes
    authorization: str


@dataclass
class Service:
    answers: Sequence[Response]
    asked: list[Asked] = field(default_factory=list)

    @contextmanager
    def served(self) -> Iterator[str]:
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])
        with serve_app(app) as url:
            yield url

    async def _answer(self, request: Request) -> Response:
        line = f"{request.method} {request.url.path}"
        line = f"{line}?{request.url.query}" if request.url.query else line
        authorization = request.headers.get("authorization", "")
        self.asked.append(Asked(line, await request.body(), authorization))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]
