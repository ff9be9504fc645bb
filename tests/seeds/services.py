"""What the pages' Python talks to: a model, a tools gateway and a search service, all scripted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mini_agent.testing import Call, ScriptedServer, calls
from mini_agent.testing.replies import JsonObject, ScriptedReply
from tests.shim.serving import serve_app

GATEWAY_PORT = 8787  # the pages print it
SEARCH = {
    "type": "function",
    "function": {
        "name": "search_docs",
        "description": "Search docs",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
            "additionalProperties": False,
        },
    },
}


def computes_and_searches(messages: list[JsonObject]) -> ScriptedReply | str:
    """A model that tries every tool there may be, once, and then answers."""
    if messages[-1]["role"] == "user" and not any(each["role"] == "tool" for each in messages):
        return calls(
            Call("exec_python", {"code": "print('hello')"}),
            Call("search_docs", {"query": "auth tokens"}),
            Call("research_perplexity", {"query": "auth tokens"}),
        )
    return "It said hello."


@dataclass(frozen=True, slots=True)
class Services:
    """Where they are, as environment variables, and what was asked of them."""

    variables: dict[str, str]
    model: ScriptedServer
    search: ScriptedServer
    invoked: list[object] = field(default_factory=list)


@contextmanager
def services() -> Iterator[Services]:
    """All three while the block runs; the gateway is where the pages say it is."""
    invoked: list[object] = []
    with (
        ScriptedServer(computes_and_searches) as model,
        ScriptedServer(["It is in the manual."], repeat_last=True) as search,
        serve_app(_gateway(invoked), port=GATEWAY_PORT),
    ):
        variables = {
            "OLLAMA_API_BASE": model.url,
            "OPENAI_API_BASE": model.openai_url,
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "sk-scripted",
            "PPLX_API_BASE": search.openai_url,
            "PPLX_API_KEY": "pplx-scripted",
        }
        yield Services(variables, model, search, invoked)


def _gateway(invoked: list[object]) -> Starlette:
    async def tools(request: Request) -> JSONResponse:
        del request
        return JSONResponse([SEARCH])

    async def invoke(request: Request) -> JSONResponse:
        invoked.append(await request.json())
        return JSONResponse({"text": "Found 3 relevant docs."})

    return Starlette(routes=[Route("/tools", tools), Route("/invoke", invoke, methods=["POST"])])
