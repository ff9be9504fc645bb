"""`research_perplexity`: a question to Perplexity, which searches the web and cites sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from mini_agent.errors import ToolsUnavailable
from mini_agent.messages import JsonObject, system, user
from mini_agent.net.http_exchange import HttpExchange, HttpRequest, HttpResponse
from mini_agent.tools.http import build_http_error
from mini_agent.tools.invoker import Tool, ToolOutput, text_output
from mini_agent.tools.observation import MAX_STREAM_CHARS, truncate
from mini_agent.tools.research.common import (
    ResearchSettings,
    RetryPolicy,
    read_count_argument,
    read_required_argument,
)

NAME: Final = "research_perplexity"
SETUP_HINT: Final = "set PPLX_API_KEY"
SYSTEM_PROMPT: Final = (
    "Answer with the facts and nothing else, in at most 200 words. Quote code, versions and "
    "error messages exactly."
)
MAX_TOKENS: Final = 4096
MAX_SOURCES: Final = 5
MAX_TITLE_CHARS: Final = 60
THINKING: Final = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
TOOL: Final[Tool] = {
    "type": "function",
    "function": {
        "name": NAME,
        "description": "Search the web and get a short answer with its sources.",
        "parameters": {
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "The question, in full."},
                "max_tokens": {
                    "type": "integer",
                    "description": "The most tokens the answer may have. Mostly left out.",
                },
            },
            "required": ["query"],
            "additionalProperties": False,
        },
    },
}


class _ResponseModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Message(_ResponseModel):
    content: str | None = Field(default=None, description="The text of the answer.")


class _Choice(_ResponseModel):
    message: _Message = Field(description="The message of the choice.")


class _Source(_ResponseModel):
    url: str = Field(description="The address of the source.")
    title: str | None = Field(default=None, description="The title of the source.")
    date: str | None = Field(
        default=None, description="The day of the source, as the service writes it."
    )


class _Completion(_ResponseModel):
    choices: tuple[_Choice, ...] = Field(description="The choices, the first of which is used.")
    citations: tuple[str, ...] | None = Field(
        default=None, description="Addresses of sources; null where there are none."
    )
    search_results: tuple[_Source, ...] | None = Field(
        default=None, description="Sources with their titles; null where there are none."
    )


class Perplexity:
    """Perplexity's chat completions, as the environment sets them up."""

    def __init__(self, settings: ResearchSettings, policy: RetryPolicy) -> None:
        key = settings.pplx_api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"}
        self._exchange = HttpExchange(settings.pplx_api_base, headers, "PPLX_API_BASE")
        self._model = settings.pplx_model.removeprefix("perplexity/")
        self._policy = policy

    @property
    def tool(self) -> Tool:
        """The tool as the model sees it."""
        return TOOL

    async def output(self, arguments: JsonObject) -> ToolOutput:
        """Query Perplexity and return the answer and its sources."""
        asked: dict[str, JsonValue] = {
            "model": self._model,
            "messages": [system(SYSTEM_PROMPT), user(read_required_argument(arguments, "query"))],
        }
        most = read_count_argument(arguments, "max_tokens", MAX_TOKENS)
        if most is not None:
            asked["max_tokens"] = most
        request = HttpRequest("POST", "/chat/completions", asked)
        return text_output(
            _format_answer(await self._policy.send(self._exchange, request), self._exchange)
        )


def _format_answer(answered: HttpResponse, exchange: HttpExchange) -> str:
    if not answered.ok:
        raise build_http_error(answered, exchange.address, f"{SETUP_HINT} to a key that is valid")
    try:
        said = _Completion.model_validate_json(answered.content)
    except ValidationError as odd:
        raise ToolsUnavailable(
            f"{exchange.address} answers with something that is no chat completion: "
            f"{answered.text[:60]!r}",
            hint="PPLX_API_BASE is the address without /chat/completions",
        ) from odd
    content = (said.choices[0].message.content if said.choices else None) or ""
    sources = said.search_results or tuple(_Source(url=url) for url in said.citations or ())
    named = _format_sources(sources)
    answer = THINKING.sub("", content).strip() or "(it had no answer)"
    return f"{truncate(answer, most=MAX_STREAM_CHARS - len(named) - 1)}\n{named}".strip()


def _format_sources(sources: Sequence[_Source]) -> str:
    """The sources under the numbers with which the answer refers to them."""
    lines = [
        " ".join(part for part in (f"[{number}]", _format_title(source), source.url) if part)
        for number, source in enumerate(sources[:MAX_SOURCES], start=1)
    ]
    return "\n".join(["Sources:", *lines]) if lines else ""


def _format_title(source: _Source) -> str:
    title = (source.title or "")[:MAX_TITLE_CHARS].strip()
    return f"{title} ({source.date})" if title and source.date else title
