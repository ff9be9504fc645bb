"""What the environment says about the services that look things up."""

from __future__ import annotations

from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PERPLEXITY: Final = "https://api.perplexity.ai"


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
        default=PERPLEXITY,
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
