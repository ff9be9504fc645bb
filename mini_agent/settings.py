"""What the environment says: read once, by a door, and handed down as plain values."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mini_agent.errors import NotConfigured
from mini_agent.ollama_address import ollama_url


class Settings(BaseSettings):
    """The variables the library knows; an empty one counts as not set."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    code_model: str = Field(default="", validation_alias="LITELLM_DEFAULT_CODE_MODEL")
    model: str = Field(default="", validation_alias="LITELLM_DEFAULT_MODEL")
    languages: str = Field(default="", validation_alias="LITELLM_MINI_AGENT_LANGUAGES")
    max_iterations: str = Field(default="", validation_alias="LITELLM_MINI_AGENT_MAX_ITERATIONS")
    max_seconds: str = Field(default="", validation_alias="LITELLM_MINI_AGENT_MAX_SECONDS")
    tool_backend: str = Field(default="", validation_alias="LITELLM_MINI_AGENT_TOOL_BACKEND")
    shim_container: str = Field(default="", validation_alias="LITELLM_MINI_AGENT_DOCKER_CONTAINER")
    shim_token: SecretStr = Field(default=SecretStr(""), validation_alias="MINI_AGENT_SHIM_TOKEN")
    sidecar_url: str = Field(default="", validation_alias="MINI_AGENT_SIDECAR_URL")
    sidecar_token: SecretStr = Field(
        default=SecretStr(""), validation_alias="MINI_AGENT_SIDECAR_TOKEN"
    )
    sidecar_token_file: Path | None = Field(
        default=None, validation_alias="MINI_AGENT_SIDECAR_TOKEN_FILE"
    )
    tool_http_base_url: str = Field(default="", validation_alias="MINI_AGENT_TOOL_HTTP_BASE_URL")
    tool_http_headers: SecretStr = Field(
        default=SecretStr(""), validation_alias="MINI_AGENT_TOOL_HTTP_HEADERS"
    )
    mcp_config: str = Field(default="", validation_alias="MINI_AGENT_MCP_CONFIG")
    ollama_api_base: str = Field(default="", validation_alias="OLLAMA_API_BASE")
    ollama_host: str = Field(default="", validation_alias="OLLAMA_HOST")
    redis: SecretStr = Field(default=SecretStr(""), validation_alias="MINI_AGENT_REDIS_URL")

    @property
    def default_model(self) -> str:
        """The model of a run that names none; empty when the environment names none either."""
        return self.code_model or self.model

    @property
    def ollama_address(self) -> str:
        """Where Ollama is, also when only Ollama's own OLLAMA_HOST says so; empty: the default."""
        if self.ollama_api_base:
            return ollama_url(self.ollama_api_base, "OLLAMA_API_BASE")
        return ollama_url(self.ollama_host) if self.ollama_host else ""

    @property
    def redis_url(self) -> str:
        """Where answers of models are kept, a password included; empty: nowhere."""
        return self.redis.get_secret_value()

    def read_sidecar_token(self) -> str:
        """The sidecar's token, from the variable or the file; empty when neither is set."""
        given = self.sidecar_token.get_secret_value()
        if given or self.sidecar_token_file is None:
            return given
        try:
            return self.sidecar_token_file.read_text().strip()
        except OSError as unreadable:
            raise NotConfigured(
                f"the sidecar's token cannot be read from {self.sidecar_token_file}: "
                f"{unreadable.strerror}",
                hint="the sidecar writes it at its first start; MINI_AGENT_SIDECAR_TOKEN_FILE "
                "names the file",
            ) from unreadable

    def read_tool_http_headers(self) -> dict[str, str]:
        """The headers for the tools gateway, written as a JSON object; none when not set."""
        written = self.tool_http_headers.get_secret_value()
        if not written:
            return {}
        try:
            return TypeAdapter(dict[str, str]).validate_json(written)
        except ValidationError:
            raise NotConfigured(
                "MINI_AGENT_TOOL_HTTP_HEADERS is not a JSON object of texts",
                field="tool_http_headers",
                hint='write it like this: {"Authorization": "Bearer ..."}',
            ) from None


def require_model(named: str, settings: Settings, *, field: str = "model") -> str:
    """The model named, else the environment's; `NotConfigured` says which variables to set."""
    model = named or settings.default_model
    if not model:
        raise NotConfigured(
            "no model is named for the run",
            field=field,
            hint=f"pass {field}, or set LITELLM_DEFAULT_CODE_MODEL or LITELLM_DEFAULT_MODEL, "
            "such as ollama/qwen2.5-coder:3b",
        )
    return model
