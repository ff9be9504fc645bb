"""A tools gateway on a real port, which answers what it is told to and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mini_agent.tools.catalog import build_text_tool
from tests.shim.serving import serve_app

SEARCH_DOCS = build_text_tool("search_docs", "Search docs", query="What for.")


@dataclass
class Gateway:
    """Gives its answers in order, the last one again and again; `asked` has method and path."""

    answers: Sequence[Response] = (JSONResponse({"text": "ok"}),)
    listing: Response = field(default_factory=lambda: JSONResponse([SEARCH_DOCS]))
    asked: list[str] = field(default_factory=list)
    invoked: list[JsonValue] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @contextmanager
    def served(self) -> Iterator[str]:
        app = Starlette(
            routes=[
                Route("/tools", self._tools),
                Route("/invoke", self._invoke, methods=["POST"]),
                Route("/deep/invoke", self._invoke, methods=["POST"]),
            ]
        )
        with serve_app(app) as url:
            yield url

    async def _tools(self, request: Request) -> Response:
        self._keep(request)
        return self.listing

    async def _invoke(self, request: Request) -> Response:
        self._keep(request)
        self.invoked.append(await request.json())
        return self.answers[min(len(self.invoked), len(self.answers)) - 1]

    def _keep(self, request: Request) -> None:
        self.asked.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
