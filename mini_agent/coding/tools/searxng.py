"""Searches the web by a SearXNG server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.coding.tools.protocols import SearchResult
from mini_agent.tools.arguments import RejectedCall

TIMEOUT_S: Final = 20.0
MAX_EXCERPT_CHARS: Final = 500


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str = Field(description="The address of the page.")
    title: str = Field(default="", description="The title of the page.")
    content: str = Field(default="", description="An excerpt.")


@dataclass(frozen=True, slots=True)
class SearxngEngine:
    """A SearXNG server at `address`, which the user names and which may be anywhere."""

    address: str

    async def search(self, query: str) -> Sequence[SearchResult]:
        """Return the results of the first page, in the server's order."""
        parameters = {"q": query, "format": "json"}
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                response = await client.get(f"{self.address.rstrip('/')}/search", params=parameters)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RejectedCall(f"{self.address} does not answer: {error}") from None
        if response.status_code == httpx.codes.FORBIDDEN:
            raise RejectedCall(f"{self.address} gives no JSON; add it under search.formats there")
        try:
            results = _Response.model_validate_json(response.content).results
        except ValidationError:
            raise RejectedCall(f"{self.address} answers with HTTP {response.status_code}") from None
        return [
            SearchResult(each.title, each.url, each.content[:MAX_EXCERPT_CHARS]) for each in results
        ]


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    results: tuple[_Result, ...] = Field(description="The results, the best first.")
