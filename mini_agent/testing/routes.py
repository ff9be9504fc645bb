"""The scripted server's routes, Ollama's and OpenAI's, and the models that it has."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mini_agent.testing import wire_formats
from mini_agent.testing.http import (
    NDJSON,
    Request,
    Response,
    json_response,
    ndjson_line,
    text_response,
)
from mini_agent.testing.replies import JsonObject, JsonValue, no_tools, not_pulled
from mini_agent.testing.script import ScriptPlayer
from mini_agent.testing.wire_formats import WireFormat

ANY_MODEL: Final = "scripted:latest"
MANIFESTS: Final = Path("manifests/registry.ollama.ai/library")
BLOB_BYTES: Final = 1_000_000
VALID_NAME: Final = re.compile(r"[\w.-]+(/[\w.-]+)*(:[\w.-]+)?", re.ASCII)
UNKNOWN_MODEL: Final = "pull model manifest: file does not exist"
OLLAMA_VERSION: Final = "0.12.6"
CONTEXT_LENGTH: Final = 32_768
WIRE_FORMATS: Final = MappingProxyType[str, WireFormat](
    {
        "/api/chat": wire_formats.OLLAMA_CHAT,
        "/api/generate": wire_formats.OLLAMA_GENERATE,
        "/v1/chat/completions": wire_formats.OPENAI_CHAT,
    }
)
Route = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Models:
    """Which models there are.

    `pulled`: on the disk from the start; None means that every name is.
    `known`: what `/api/pull` finds; None means that it finds every name.
    `capabilities`: without "tools", a request that offers tools is refused with Ollama's 400.
    `folder`: where pulled models are remembered, so that they outlive the server.
    `pull_every_s`: the pause between two lines of a pull's progress.
    """

    pulled: Collection[str] | None = None
    known: Collection[str] | None = None
    capabilities: tuple[str, ...] = ("completion", "tools")
    folder: Path | None = None
    pull_every_s: float = 0.0


EVERY_MODEL: Final = Models()


class ModelLibrary:
    """The models that are pulled at the moment."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self._pulled = {full_name(name) for name in models.pulled or ()} | _load_manifests(models)

    def names(self) -> list[str]:
        """The pulled models; one stand-in if every name is a pulled model."""
        return [ANY_MODEL] if self.models.pulled is None else sorted(self._pulled)

    def has(self, name: str) -> bool:
        """Tell whether the model can be used without a pull."""
        return self.models.pulled is None or full_name(name) in self._pulled

    def pull(self, name: str) -> str:
        """Pull the model; returns Ollama's error text if it does not exist, else an empty one."""
        if self.models.known is not None and full_name(name) not in map(
            full_name, self.models.known
        ):
            return UNKNOWN_MODEL
        if self.models.folder is not None:
            _write_manifest(self.models.folder, full_name(name))
        self._pulled.add(full_name(name))
        return ""


def _load_manifests(models: Models) -> set[str]:
    if models.folder is None:
        return set()
    top = models.folder / MANIFESTS
    paths = (path.relative_to(top) for path in top.rglob("*") if path.is_file())
    return {f"{path.parent.as_posix()}:{path.name}" for path in paths}


def _write_manifest(folder: Path, name: str) -> None:
    model, _, tag = name.partition(":")
    manifest = folder / MANIFESTS / model / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(f'{{"digest": "sha256:{model_digest(name)}"}}\n')


def full_name(name: str) -> str:
    """The name with its tag, `latest` if it has none."""
    return name if ":" in name else f"{name}:latest"


def is_valid_name(name: str) -> bool:
    """Tell whether `name` can be a model's name."""
    return VALID_NAME.fullmatch(name) is not None and ".." not in name


def model_digest(name: str) -> str:
    """A digest that is the same for every call with this name."""
    return hashlib.sha256(full_name(name).encode()).hexdigest()


def model_details() -> JsonObject:
    """Ollama's description of a model file."""
    return {
        "parent_model": "",
        "format": "gguf",
        "family": "scripted",
        "families": ["scripted"],
        "parameter_size": "1K",
        "quantization_level": "F16",
    }


class Routes:
    """Routes each request to its handler, with one model library and one script."""

    def __init__(self, library: ModelLibrary, script: ScriptPlayer) -> None:
        self._library = library
        self._script = script
        self._get: dict[str, Route] = {
            "/": lambda _: text_response(200, "Ollama is running"),
            "/api/version": lambda _: json_response(200, {"version": OLLAMA_VERSION}),
            "/api/tags": lambda _: json_response(200, {"models": self._models()}),
            "/api/ps": lambda _: json_response(200, {"models": self._models(loaded=True)}),
            "/v1/models": self._openai_models,
        }
        self._post: dict[str, Route] = {
            **dict.fromkeys(WIRE_FORMATS, self._model_reply),
            "/api/show": self._show,
            "/api/pull": self._pull,
        }

    def answer(self, request: Request) -> Response:
        """Build the response to any request."""
        if request.method in ("GET", "HEAD"):
            return self._dispatch(self._get, self._post, request)
        if request.method == "POST":
            return self._dispatch(self._post, self._get, request)
        return text_response(404, "404 page not found")

    def _dispatch(
        self, routes: dict[str, Route], others: dict[str, Route], request: Request
    ) -> Response:
        if request.path in routes:
            return routes[request.path](request)
        if request.method == "GET" and request.path.startswith("/v1/models/"):
            return self._openai_model(request)
        if request.path in others:
            return text_response(405, "405 method not allowed")
        return text_response(404, "404 page not found")

    def _model_reply(self, request: Request) -> Response:
        wire_format = WIRE_FORMATS[request.path]
        if wrong := _find_problem(request):
            return wire_format.refusal(400, wrong)
        if not self._library.has(request.model):
            missing = not_pulled(request.model)
            return wire_format.refusal(missing.status, missing.message)
        if request.tools and "tools" not in self._library.models.capabilities:
            return wire_format.answer(request, no_tools(full_name(request.model)))
        if not request.messages:
            return self._without_messages(request, wire_format)
        return self._scripted(request, wire_format)

    def _without_messages(self, request: Request, wire_format: WireFormat) -> Response:
        if wire_format is wire_formats.OPENAI_CHAT:
            return wire_format.refusal(400, "[] is too short - 'messages'")
        return json_response(200, wire_formats.load_response(request))

    def _scripted(self, request: Request, wire_format: WireFormat) -> Response:
        reply = self._script.next_reply(request)
        if reply is not None:
            return wire_format.answer(request, reply)
        return wire_format.refusal(
            400, f"the scripted model has no answer: {self._script.describe_deviation()}"
        )

    def _show(self, request: Request) -> Response:
        if wrong := _find_problem(request):
            return json_response(400, {"error": wrong})
        if not self._library.has(request.model):
            return json_response(404, {"error": not_pulled(request.model).message})
        able = self._library.models.capabilities
        return json_response(
            200,
            {
                "modelfile": f"FROM {full_name(request.model)}\n",
                "parameters": "",
                "template": f"{{{{ .Prompt }}}}{'{{ .Tools }}' if 'tools' in able else ''}",
                "details": model_details(),
                "model_info": {
                    "general.architecture": "scripted",
                    "scripted.context_length": CONTEXT_LENGTH,
                },
                "capabilities": [*able],
            },
        )

    def _pull(self, request: Request) -> Response:
        if wrong := _find_problem(request):
            return json_response(400, {"error": wrong})
        problem = self._library.pull(request.model)
        if not request.stream:
            last: JsonObject = {"error": problem} if problem else {"status": "success"}
            return json_response(500 if problem else 200, last)
        steps = _failed_pull(problem) if problem else _pull_progress(request.model)
        lines = tuple(ndjson_line(step) for step in steps)
        pause = self._library.models.pull_every_s
        return Response(200, NDJSON, lines, streamed=True, every_s=pause)

    def _models(self, *, loaded: bool = False) -> list[JsonValue]:
        extra: JsonObject = (
            {"expires_at": wire_formats.timestamp(), "size_vram": 0} if loaded else {}
        )
        return [
            {
                "name": name,
                "model": name,
                "modified_at": wire_formats.timestamp(),
                "size": BLOB_BYTES,
                "digest": model_digest(name),
                "details": model_details(),
                **extra,
            }
            for name in self._library.names()
        ]

    def _openai_models(self, _request: Request) -> Response:
        listed: list[JsonValue] = [_openai_model(name) for name in self._library.names()]
        return json_response(200, {"object": "list", "data": listed})

    def _openai_model(self, request: Request) -> Response:
        name = request.path.removeprefix("/v1/models/")
        if not self._library.has(name):
            return wire_formats.OPENAI_CHAT.refusal(404, not_pulled(name).message)
        return json_response(200, _openai_model(name))


def _find_problem(request: Request) -> str:
    if request.problem:
        return request.problem
    if not request.model:
        return "model is required"
    return "" if is_valid_name(request.model) else "invalid model name"


def _failed_pull(problem: str) -> list[JsonObject]:
    return [{"status": "pulling manifest"}, {"error": problem}]


def _pull_progress(name: str) -> list[JsonObject]:
    layer = f"sha256:{model_digest(name)}"
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
