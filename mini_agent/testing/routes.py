"""What the scripted server answers to each path: Ollama's own ones, and OpenAI's beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from mini_agent.testing import openai_wire, wire_formats
from mini_agent.testing.answer import NDJSON, Answer, json_answer, ndjson_line, plain
from mini_agent.testing.dialect import Dialect
from mini_agent.testing.http import Request
from mini_agent.testing.library import (
    BLOB_BYTES,
    Library,
    details,
    digest,
    full_name,
    is_valid,
)
from mini_agent.testing.replies import no_tools, not_pulled
from mini_agent.testing.replies_ import JsonObject, JsonValue
from mini_agent.testing.script import Playing

OLLAMA_VERSION: Final = "0.12.6"
CONTEXT_LENGTH: Final = 32_768
DIALECTS: Final = MappingProxyType[str, Dialect](
    {
        "/api/chat": wire_formats.CHAT,
        "/api/generate": wire_formats.GENERATE,
        "/v1/chat/completions": openai_wire.COMPLETIONS,
    }
)
Route = Callable[[Request], Answer]


class Routes:
    """The paths, over one library and one script."""

    def __init__(self, library: Library, script: Playing) -> None:
        self._library = library
        self._script = script
        self._get: dict[str, Route] = {
            "/": lambda _: plain(200, "Ollama is running"),
            "/api/version": lambda _: json_answer(200, {"version": OLLAMA_VERSION}),
            "/api/tags": lambda _: json_answer(200, {"models": self._models()}),
            "/api/ps": lambda _: json_answer(200, {"models": self._models(loaded=True)}),
            "/v1/models": self._openai_models,
        }
        self._post: dict[str, Route] = {
            **dict.fromkeys(DIALECTS, self._turn),
            "/api/show": self._show,
            "/api/pull": self._pull,
        }

    def answer(self, request: Request) -> Answer:
        """The answer to any request."""
        if request.method in ("GET", "HEAD"):
            return self._found(self._get, self._post, request)
        if request.method == "POST":
            return self._found(self._post, self._get, request)
        return plain(404, "404 page not found")

    def _found(
        self, routes: dict[str, Route], others: dict[str, Route], request: Request
    ) -> Answer:
        if request.path in routes:
            return routes[request.path](request)
        if request.method == "GET" and request.path.startswith("/v1/models/"):
            return self._openai_model(request)
        if request.path in others:
            return plain(405, "405 method not allowed")
        return plain(404, "404 page not found")

    def _turn(self, request: Request) -> Answer:
        dialect = DIALECTS[request.path]
        if wrong := _wrong(request):
            return dialect.refusal(400, wrong)
        if not self._library.has(request.model):
            missing = not_pulled(request.model)
            return dialect.refusal(missing.status, missing.message)
        if request.tools and "tools" not in self._library.models.capabilities:
            return dialect.answer(request, no_tools(full_name(request.model)))
        if not request.messages:
            return self._without_messages(request, dialect)
        return self._scripted(request, dialect)

    def _without_messages(self, request: Request, dialect: Dialect) -> Answer:
        if dialect is openai_wire.COMPLETIONS:
            return dialect.refusal(400, "[] is too short - 'messages'")
        return json_answer(200, wire_formats.loaded(request))

    def _scripted(self, request: Request, dialect: Dialect) -> Answer:
        reply = self._script.reply_to(request)
        if reply is not None:
            return dialect.answer(request, reply)
        return dialect.refusal(400, f"the scripted model has no answer: {self._script.complaint()}")

    def _show(self, request: Request) -> Answer:
        if wrong := _wrong(request):
            return json_answer(400, {"error": wrong})
        if not self._library.has(request.model):
            return json_answer(404, {"error": not_pulled(request.model).message})
        able = self._library.models.capabilities
        return json_answer(
            200,
            {
                "modelfile": f"FROM {full_name(request.model)}\n",
                "parameters": "",
                "template": f"{{{{ .Prompt }}}}{'{{ .Tools }}' if 'tools' in able else ''}",
                "details": details(),
                "model_info": {
                    "general.architecture": "scripted",
                    "scripted.context_length": CONTEXT_LENGTH,
                },
                "capabilities": [*able],
            },
        )

    def _pull(self, request: Request) -> Answer:
        if wrong := _wrong(request):
            return json_answer(400, {"error": wrong})
        problem = self._library.pull(request.model)
        if not request.stream:
            last: JsonObject = {"error": problem} if problem else {"status": "success"}
            return json_answer(500 if problem else 200, last)
        steps = _unknown(problem) if problem else _progress(request.model)
        lines = tuple(ndjson_line(step) for step in steps)
        pause = self._library.models.pull_every_s
        return Answer(200, NDJSON, lines, streamed=True, every_s=pause)

    def _models(self, *, loaded: bool = False) -> list[JsonValue]:
        extra: JsonObject = {"expires_at": wire_formats.now(), "size_vram": 0} if loaded else {}
        return [
            {
                "name": name,
                "model": name,
                "modified_at": wire_formats.now(),
                "size": BLOB_BYTES,
                "digest": digest(name),
                "details": details(),
                **extra,
            }
            for name in self._library.names()
        ]

    def _openai_models(self, _request: Request) -> Answer:
        listed: list[JsonValue] = [_openai_model(name) for name in self._library.names()]
        return json_answer(200, {"object": "list", "data": listed})

    def _openai_model(self, request: Request) -> Answer:
        name = request.path.removeprefix("/v1/models/")
        if not self._library.has(name):
            return openai_wire.COMPLETIONS.refusal(404, not_pulled(name).message)
        return json_answer(200, _openai_model(name))


def _wrong(request: Request) -> str:
    if request.problem:
        return request.problem
    if not request.model:
        return "model is required"
    return "" if is_valid(request.model) else "invalid model name"


def _unknown(problem: str) -> list[JsonObject]:
    return [{"status": "pulling manifest"}, {"error": problem}]


def _progress(name: str) -> list[JsonObject]:
    layer = f"sha256:{digest(name)}"
    about: JsonObject = {
        "status": f"pulling {layer[7:19]}",
        "digest": layer,
        "total": BLOB_BYTES,
    }
    arrived = (BLOB_BYTES // 4, BLOB_BYTES // 2, BLOB_BYTES)
    return [
        {"status": "pulling manifest"},
        about,
        *({**about, "completed": so_far} for so_far in arrived),
        {"status": "verifying sha256 digest"},
        {"status": "writing manifest"},
        {"status": "success"},
    ]


def _openai_model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": int(time.time()), "owned_by": "library"}
