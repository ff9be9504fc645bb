"""What the environment says about the services that look things up.

The arguments of the research tools, read and checked.

Asking a service that may be busy: a few times, further and further apart, within its time.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mini_agent.errors import ToolsUnavailable
from mini_agent.messages import JsonObject
from mini_agent.net.http_exchange import (
    HttpResponse,
    HttpRequest,
    HttpExchange,
    NoResponse,
)
from mini_agent.tools.arguments import RejectedCall, read_text_argument

RETRYABLE_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
SHORTEST_WAIT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Up to `max_attempts` requests within `seconds`.

    The wait between them is at random below `first_wait_s`, then below twice as much, and so on,
    so that many callers do not come back together; a `Retry-After` comes before that.
    """

    seconds: float = 30.0
    max_attempts: int = 4
    initial_delay_s: float = 1.0

    async def answer(self, exchange: HttpExchange, ask: HttpRequest) -> HttpResponse:
        """The service's answer, the last one when it stays busy; `ToolsUnavailable` if none came.

        Only for requests that may be repeated.
        """
        end = asyncio.get_running_loop().time() + self.seconds
        try:
            async with asyncio.timeout_at(end):
                return await self._answer(exchange, ask, end)
        except TimeoutError as late:
            raise ToolsUnavailable(
                f"{exchange.address} did not answer within {self.seconds:g} s"
            ) from late

    async def _answer(self, exchange: HttpExchange, ask: HttpRequest, end: float) -> HttpResponse:
        for tried in range(self.max_attempts - 1):
            told = None
            try:
                answered = await exchange.answer(ask)
                if answered.status not in RETRYABLE_STATUSES:
                    return answered
                told = answered.retry_after_s
            except NoResponse:
                answered = None
            wait = self._wait(tried) if told is None else max(SHORTEST_WAIT_S, told)
            if answered and asyncio.get_running_loop().time() + wait >= end:
                return answered
            await asyncio.sleep(wait)
        return await exchange.answer(ask)

    def _wait(self, tried: int) -> float:
        longest = self.initial_delay_s * 2**tried
        return random.uniform(min(SHORTEST_WAIT_S, longest), longest)  # noqa: S311  no secret


def read_required_argument(arguments: JsonObject, name: str) -> str:
    """The text under `name`, which must be there and say something."""
    words = read_text_argument(arguments, name).strip()
    if not words:
        raise RejectedCall(f"the argument {name} is empty")
    return words


def read_optional_argument(arguments: JsonObject, name: str) -> str:
    """The text under `name`; empty where there is none."""
    return "" if arguments.get(name) is None else read_text_argument(arguments, name).strip()


def read_count_argument(arguments: JsonObject, name: str, most: int) -> int | None:
    """The whole number under `name`, put into the range from 1 to `most`; None when left out."""
    asked = arguments.get(name)
    if asked is None:
        return None
    try:
        if not isinstance(asked, str | int | float) or isinstance(asked, bool):
            raise ValueError  # noqa: TRY004  one answer for everything that is no number
        return min(max(int(asked), 1), most)
    except (ValueError, OverflowError):
        raise RejectedCall(f"{name} must be a whole number, not {asked!r:.60}") from None


PERPLEXITY_URL: Final = "https://api.perplexity.ai"


class ResearchSettings(BaseSettings):
    """The variables of the research tools; an empty one counts as not set."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    pplx_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="PPLX_API_KEY",
        description="The key for Perplexity; empty leaves research_perplexity out.",
    )
    pplx_api_base: str = Field(
        default=PERPLEXITY_URL,
        validation_alias="PPLX_API_BASE",
        description="The address of Perplexity's API, without /chat/completions.",
    )
    pplx_model: str = Field(
        default="sonar-pro",
        validation_alias="PPLX_MODEL",
        description="The model of Perplexity that answers.",
    )
    c7_api_base: str = Field(
        default="",
        validation_alias="C7_API_BASE",
        description="The address of Context7's API; empty leaves research_context7_docs out.",
    )
    c7_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="C7_API_KEY",
        description="The key for Context7; empty sends none.",
    )
