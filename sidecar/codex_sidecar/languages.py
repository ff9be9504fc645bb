"""What the images say of themselves, and the list of languages as callers see it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from mini_agent.sandbox import Language, Limits


class About(BaseModel):
    """What an image holds, as written when it was built."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str = ""
    packages: dict[str, str] = {}


class LanguageCard(BaseModel):
    """One language: `version` and `packages` are empty while its image is missing.

    `warm` sandboxes of it are ready at this moment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Language
    aliases: tuple[str, ...]
    image: str
    available: bool
    version: str
    packages: dict[str, str]
    warm: int = 0
    limits: Limits


class Languages(BaseModel):
    """The body of `GET /v1/languages`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: tuple[LanguageCard, ...]
