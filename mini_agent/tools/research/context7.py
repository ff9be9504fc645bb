"""`research_context7_docs`: the documentation of a library, from Context7 or a like service."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue
from pydantic_core import from_json

from mini_agent.messages import JsonObject
from mini_agent.net.http_exchange import HttpExchange, HttpRequest, HttpResponse
from mini_agent.tools.http import build_http_error
from mini_agent.tools.invoker import Tool, ToolOutput, text_output
from mini_agent.tools.observation import truncate
from mini_agent.tools.research.common import (
    ResearchSettings,
    RetryPolicy,
    read_count_argument,
    read_optional_argument,
    read_required_argument,
)

NAME: Final = "research_context7_docs"
SETUP_HINT: Final = "set C7_API_BASE, such as https://context7.com/api/v1"
DEFAULT_SNIPPETS: Final = 5
MAX_SNIPPETS: Final = 20
MAX_TOKENS: Final = 2000
TOOL: Final[Tool] = {
    "type": "function",
    "function": {
        "name": NAME,
        "description": "Look up the documentation of a library.",
        "parameters": {
            "type": "object",
            "properties": {
                "library": {"type": "string", "description": "The library, such as react."},
                "topic": {"type": "string", "description": "What about it, such as hooks."},
                "max_snippets": {
                    "type": "integer",
                    "description": "The most pieces to get. Mostly left out.",
                },
            },
            "required": ["library"],
            "additionalProperties": False,
        },
    },
}


class Context7:
    """A server where `GET /search` finds a library, or passages on it right away.

    Context7 itself gives libraries, and `GET /<id>` then gives the passages of one.
    """

    def __init__(self, settings: ResearchSettings, policy: RetryPolicy) -> None:
        key = settings.c7_api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._exchange = HttpExchange(settings.c7_api_base, headers, "C7_API_BASE")
        self._policy = policy

    @property
    def tool(self) -> Tool:
        """The tool as the model sees it."""
        return TOOL

    async def output(self, arguments: JsonObject) -> ToolOutput:
        """Query the service and return the passages, the best first."""
        library = read_required_argument(arguments, "library")
        topic = read_optional_argument(arguments, "topic")
        most = read_count_argument(arguments, "max_snippets", MAX_SNIPPETS) or DEFAULT_SNIPPETS
        if library.startswith("/"):
            return text_output(truncate(await self._documents(library, topic)))
        found = _parse_body(
            await self._get("/search", query=library, library=library, topic=topic, n=str(most))
        )
        passages = _format_passages(found, most)
        identity = "" if passages else _find_first_library(found)
        if identity:
            passages = f"{identity}:\n{await self._documents(identity, topic)}"
        return text_output(truncate(passages) or f"nothing was found on {library!r:.80}")

    async def _documents(self, identity: str, topic: str) -> str:
        about = {"topic": topic} if topic else {}
        answered = await self._get(identity, type="txt", tokens=str(MAX_TOKENS), **about)
        return answered.text.strip()

    async def _get(self, path: str, **query: str) -> HttpResponse:
        request = HttpRequest(
            "GET", path, query=tuple((name, said) for name, said in query.items() if said)
        )
        answered = await self._policy.send(self._exchange, request)
        if not answered.ok:
            hint = "set C7_API_KEY to a key that is valid"
            raise build_http_error(answered, self._exchange.address, hint)
        return answered


def _parse_body(answered: HttpResponse) -> JsonValue:
    try:
        found: JsonValue = from_json(answered.content, allow_inf_nan=False)
    except ValueError:
        return answered.text
    return found


def _format_passages(found: JsonValue, most: int) -> str:
    """The text of a search that gives passages and not libraries."""
    if isinstance(found, str):
        return found.strip()
    listed = found.get("snippets") or found.get("text") if isinstance(found, dict) else found
    if isinstance(listed, str):
        return listed.strip()
    pieces = listed[:most] if isinstance(listed, list) else []
    return "\n\n".join(text for text in map(_format_passage, pieces) if text)


def _format_passage(piece: JsonValue) -> str:
    if not isinstance(piece, dict):
        return piece.strip() if isinstance(piece, str) else ""
    texts = [piece.get(name) for name in ("title", "description", "content", "text", "code", "url")]
    return "\n".join(text.strip() for text in texts if isinstance(text, str) and text.strip())


def _find_first_library(found: JsonValue) -> str:
    """The path of the best library that a search found; empty when it found none."""
    results = found.get("results") if isinstance(found, dict) else None
    for result in results if isinstance(results, list) else []:
        identity = result.get("id") if isinstance(result, dict) else None
        if isinstance(identity, str) and identity.strip("/"):
            return f"/{identity.strip('/')}"
    return ""
