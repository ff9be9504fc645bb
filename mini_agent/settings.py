"""The library's settings from environment variables, read once by each entry point."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mini_agent.errors import NotConfigured

OLLAMA_PORT: Final = 11434
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
WILDCARD_HOSTS: Final = ("0.0.0.0", "::")
# Paths that users copy with an address; LiteLLM adds its own.
API_SUFFIXES: Final = ("/v1", "/api", "/api/chat", "/api/generate")


class Settings(BaseSettings):
    """The library's environment variables; an empty one counts as not set."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    code_model: str = Field(
        default="",
        validation_alias="LITELLM_DEFAULT_CODE_MODEL",
        description="The model of a run that names none, by LiteLLM's name; takes precedence "
        "over LITELLM_DEFAULT_MODEL.",
    )
    model: str = Field(
        default="",
        validation_alias="LITELLM_DEFAULT_MODEL",
        description="The model of a run that names none, where no code model is set.",
    )
    languages: str = Field(
        default="",
        validation_alias="LITELLM_MINI_AGENT_LANGUAGES",
        description="Languages that snippets may be written in, separated by commas; empty for "
        "the default.",
    )
    max_iterations: str = Field(
        default="",
        validation_alias="LITELLM_MINI_AGENT_MAX_ITERATIONS",
        description="Turns of a run that may call tools, as text; empty for the default, 8.",
    )
    max_seconds: str = Field(
        default="",
        validation_alias="LITELLM_MINI_AGENT_MAX_SECONDS",
        description="Seconds that a run may take, as text; empty for the default, 300.",
    )
    tool_backend: str = Field(
        default="",
        validation_alias="LITELLM_MINI_AGENT_TOOL_BACKEND",
        description="Where tools are and snippets run; empty means auto.",
    )
    shim_container: str = Field(
        default="",
        validation_alias="LITELLM_MINI_AGENT_DOCKER_CONTAINER",
        description="The name of the container that a shim runs in; empty for the default.",
    )
    shim_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="MINI_AGENT_SHIM_TOKEN",
        description="The bearer token for a shim; empty sends none.",
    )
    sidecar_url: str = Field(
        default="",
        validation_alias="MINI_AGENT_SIDECAR_URL",
        description="The address of the sidecar, such as http://127.0.0.1:8077; empty for none.",
    )
    sidecar_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="MINI_AGENT_SIDECAR_TOKEN",
        description="The bearer token for the sidecar; empty reads MINI_AGENT_SIDECAR_TOKEN_FILE.",
    )
    sidecar_token_file: Path | None = Field(
        default=None,
        validation_alias="MINI_AGENT_SIDECAR_TOKEN_FILE",
        description="A file that holds the sidecar's token; not read where the token itself is "
        "set.",
    )
    tool_http_base_url: str = Field(
        default="",
        validation_alias="MINI_AGENT_TOOL_HTTP_BASE_URL",
        description="The address of the HTTP tools gateway; empty for none.",
    )
    tool_http_headers: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="MINI_AGENT_TOOL_HTTP_HEADERS",
        description="Headers for the tools gateway, as a JSON object of texts; empty for none.",
    )
    mcp_config: str = Field(
        default="",
        validation_alias="MINI_AGENT_MCP_CONFIG",
        description="The path of the file that configures MCP servers; empty for none.",
    )
    ollama_api_base: str = Field(
        default="",
        validation_alias="OLLAMA_API_BASE",
        description="The address of Ollama, such as http://127.0.0.1:11434; empty reads "
        "OLLAMA_HOST.",
    )
    ollama_host: str = Field(
        default="",
        validation_alias="OLLAMA_HOST",
        description="Ollama's own variable for its address, HOST:PORT; empty for Ollama's default.",
    )
    redis: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="MINI_AGENT_REDIS_URL",
        description="The address of a Redis that caches answers of models, redis://HOST:6379/0; "
        "empty caches none.",
    )

    @property
    def default_model(self) -> str:
        """The model of a run that names none; empty where the environment names none."""
        return self.code_model or self.model

    @property
    def ollama_address(self) -> str:
        """Ollama's address, from OLLAMA_API_BASE or OLLAMA_HOST; empty for the default."""
        if self.ollama_api_base:
            return parse_ollama_url(self.ollama_api_base, "OLLAMA_API_BASE")
        return parse_ollama_url(self.ollama_host) if self.ollama_host else ""

    @property
    def redis_url(self) -> str:
        """The URL of the Redis that caches models' replies, with its password; empty for none."""
        return self.redis.get_secret_value()

    def read_sidecar_token(self) -> str:
        """Reads the sidecar's token from the variable or the file; empty when neither is set."""
        token = self.sidecar_token.get_secret_value()
        if token or self.sidecar_token_file is None:
            return token
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
        """Reads the headers for the tools gateway; empty when the variable is not set."""
        text = self.tool_http_headers.get_secret_value()
        if not text:
            return {}
        try:
            return TypeAdapter(dict[str, str]).validate_json(text)
        except ValidationError:
            raise NotConfigured(
                "MINI_AGENT_TOOL_HTTP_HEADERS is not a JSON object of texts",
                field="tool_http_headers",
                hint='write it like this: {"Authorization": "Bearer ..."}',
            ) from None


def require_model(named: str, settings: Settings, *, field: str = "model") -> str:
    """Returns `named`, else the environment's model; raises `NotConfigured` without either."""
    model = named or settings.default_model
    if not model:
        raise NotConfigured(
            "no model is named for the run",
            field=field,
            hint=f"pass {field}, or set LITELLM_DEFAULT_CODE_MODEL or LITELLM_DEFAULT_MODEL, "
            "such as ollama/qwen2.5-coder:3b",
        )
    return model


def parse_ollama_url(address: str, name: str = "OLLAMA_HOST") -> str:
    """Parses `[scheme://][host][:port][/path]` to a URL; a wildcard host becomes 127.0.0.1.

    Raises `NotConfigured` for an invalid address; `name` is the variable it was read from.
    """
    scheme, _, rest = address.strip(" \t\n'\"").rpartition("://")
    netloc, slash, path = rest.partition("/")
    try:
        parts = urlsplit(f"{scheme or 'http'}://{_bracket_ipv6(netloc)}")
        port = parts.port or DEFAULT_PORTS.get(scheme.lower(), OLLAMA_PORT)
    except ValueError:
        raise _invalid_address(address, name) from None
    if parts.scheme not in DEFAULT_PORTS or parts.username is not None:
        raise _invalid_address(address, name)
    host = parts.hostname or "127.0.0.1"
    host = "127.0.0.1" if host in WILDCARD_HOSTS else host
    netloc_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{netloc_host}:{port}{_strip_api_path(slash + path)}"


def _bracket_ipv6(netloc: str) -> str:
    """Brackets an IPv6 address, which may be written without brackets if no port follows."""
    try:
        return f"[{ipaddress.IPv6Address(netloc)}]"
    except ValueError:
        return netloc


def _strip_api_path(text: str) -> str:
    path = text.rstrip("/")
    api = next((api for api in sorted(API_SUFFIXES, key=len)[::-1] if path.endswith(api)), "")
    return path.removesuffix(api).rstrip("/")


def _invalid_address(address: str, name: str) -> NotConfigured:
    return NotConfigured(
        f"{name}={address!r:.200} is no address of Ollama",
        hint="write it as host:port, or http://host:port",
    )


@contextmanager
def require_extra(extra: str, *, what: str) -> Iterator[None]:
    """Surrounds the imports of an extra's packages.

    Raises `NotConfigured` in place of `ModuleNotFoundError`: `what` needs the extra, and how to
    install it.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise NotConfigured(
            f"{what} needs {missing.name}, which is not installed",
            hint=f"pip install 'mini-agent[{extra}]'",
        ) from None
