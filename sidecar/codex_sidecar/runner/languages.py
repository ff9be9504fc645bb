"""What the images contain, and the list of languages as the API shows it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits


class ImageContents(BaseModel):
    """Versions in an image, as written when it was built."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str = Field(
        default="",
        description="The version of the language's compiler or interpreter; empty where the "
        "image does not say.",
    )
    packages: dict[str, str] = Field(
        default={}, description="The versions of the installed packages by name."
    )


class LanguageCard(BaseModel):
    """One language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Language = Field(description="The name of the language.")
    aliases: tuple[str, ...] = Field(description="Other names of it that are taken.")
    image: str = Field(description="The name and tag of its image.")
    available: bool = Field(description="Whether the image is there.")
    version: str = Field(
        description="The version of its compiler or interpreter; empty while its image is missing."
    )
    packages: dict[str, str] = Field(
        description="Versions of the installed packages by name; empty while its image is missing."
    )
    warm: int = Field(default=0, description="Sandboxes of it that are ready at this moment.")
    limits: Limits = Field(description="The limits of a snippet that names none.")


class Languages(BaseModel):
    """The body of `GET /v1/languages`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: tuple[LanguageCard, ...] = Field(description="All languages.")
