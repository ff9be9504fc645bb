"""What a running service has to offer, as far as cases ask for it."""

from __future__ import annotations

import httpx
from pydantic import BaseModel, ConfigDict


class _Card(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    version: str = ""
    packages: dict[str, str] = {}


class _Cards(BaseModel):
    model_config = ConfigDict(extra="ignore")

    languages: tuple[_Card, ...]


async def packages_of(client: httpx.AsyncClient) -> frozenset[str]:
    """The names of all packages in its images, in lower case."""
    cards = await languages_of(client)
    return frozenset(name.lower() for card in cards for name in card.packages)


async def languages_of(client: httpx.AsyncClient) -> tuple[_Card, ...]:
    """Its languages, with their versions."""
    answer = await client.get("/v1/languages")
    answer.raise_for_status()
    return _Cards.model_validate_json(answer.content).languages
