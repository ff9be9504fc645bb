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

    pplx_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="PPLX_API_KEY")
    pplx_api_base: str = Field(default=PERPLEXITY, validation_alias="PPLX_API_BASE")
    pplx_model: str = Field(default="sonar-pro", validation_alias="PPLX_MODEL")
    c7_api_base: str = Field(default="", validation_alias="C7_API_BASE")
    c7_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="C7_API_KEY")
