"""What the research tools share: their settings, their arguments, and the retries of a request."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mini_agent.errors import ToolsUnavailable
from mini_agent.messages import JsonObject
from mini_agent.net.backoff import jittered_delay
from mini_agent.net.http_exchange import HttpExchange, HttpRequest, HttpResponse, NoResponse
from mini_agent.tools.arguments import RejectedCall, read_text_argument

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


RETRYABLE_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
MIN_DELAY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Send a request up to `max_attempts` times within `timeout_s` seconds.

    The delay between attempts is drawn at random below `initial_delay_s`, then below twice as
    much, and so on; a `Retry-After` of the server replaces it.
    """

    timeout_s: float = 30.0
    max_attempts: int = 4
    initial_delay_s: float = 1.0

    async def send(self, exchange: HttpExchange, request: HttpRequest) -> HttpResponse:
        """Return the server's response, the last one when it stays busy.

        Only for requests that may be repeated. Raise `ToolsUnavailable` when none came in time.
        """
        deadline = asyncio.get_running_loop().time() + self.timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                return await self._send(exchange, request, deadline)
        except TimeoutError as late:
            raise ToolsUnavailable(
                f"{exchange.address} did not answer within {self.timeout_s:g} s"
            ) from late

    async def _send(
        self, exchange: HttpExchange, request: HttpRequest, deadline: float
    ) -> HttpResponse:
        for failures in range(self.max_attempts - 1):
            response = None
            with contextlib.suppress(NoResponse):
                response = await exchange.send(request)
            if response and response.status not in RETRYABLE_STATUSES:
                return response
            delay = self._delay(failures, response)
            if response and asyncio.get_running_loop().time() + delay >= deadline:
                return response
            await asyncio.sleep(delay)
        return await exchange.send(request)

    def _delay(self, failures: int, response: HttpResponse | None) -> float:
        if response is not None and response.retry_after_s is not None:
            return max(MIN_DELAY_S, response.retry_after_s)
        return jittered_delay(failures, initial_s=self.initial_delay_s, min_s=MIN_DELAY_S)


def read_required_argument(arguments: JsonObject, name: str) -> str:
    """Read the required text argument `name`, which must not be blank."""
    words = read_text_argument(arguments, name).strip()
    if not words:
        raise RejectedCall(f"the argument {name} is empty")
    return words


def read_optional_argument(arguments: JsonObject, name: str) -> str:
    """Read the optional text argument `name`; empty where it is absent."""
    return "" if arguments.get(name) is None else read_text_argument(arguments, name).strip()


def read_count_argument(arguments: JsonObject, name: str, most: int) -> int | None:
    """Read the integer argument `name`, clamped to 1 to `most`; None when it is absent."""
    asked = arguments.get(name)
    if asked is None:
        return None
    try:
        if not isinstance(asked, str | int | float) or isinstance(asked, bool):
            raise ValueError  # noqa: TRY004  one answer for everything that is no number
        return min(max(int(asked), 1), most)
    except (ValueError, OverflowError):
        raise RejectedCall(f"{name} must be a whole number, not {asked!r:.60}") from None
