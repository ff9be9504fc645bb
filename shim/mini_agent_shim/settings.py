"""The shim's settings from environment variables, and the check of its listening address."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Final

from pydantic import Field, field_validator

from mini_agent.errors import NotConfigured
from mini_agent.settings import Settings

ORIGIN: Final = re.compile(r"https?://[^/\s*@]+/?")
COMPOSE_NAMES: Final = "litellm-mini-agent,mini-agent"


class ShimSettings(Settings):
    """The library's variables and the service's own."""

    host: str = Field(
        default="127.0.0.1",
        validation_alias="MINI_AGENT_SHIM_HOST",
        description="The address that the service listens on.",
    )
    port: int = Field(
        default=8788,
        ge=1,
        le=65535,
        validation_alias="MINI_AGENT_SHIM_PORT",
        description="The port that the service listens on.",
    )
    published_on: str = Field(
        default="",
        validation_alias="MINI_AGENT_PUBLISHED_ON",
        description="The address that the container's port is published on. A container listens "
        "on every interface of its own, so the address of the published port decides who can reach "
        "it.",
    )
    allowed_hosts: str = Field(
        default=COMPOSE_NAMES,
        validation_alias="MINI_AGENT_ALLOWED_HOSTS",
        description="Host names that requests may name beside this machine's own, separated by "
        "commas.",
    )
    allowed_origins: str = Field(
        default="",
        validation_alias="MINI_AGENT_ALLOWED_ORIGINS",
        description="Origins of other pages that may call the service from a browser, separated "
        "by commas, such as https://app.example.org.",
    )
    api_tokens_file: Path | None = Field(
        default=None,
        validation_alias="MINI_AGENT_API_TOKENS_FILE",
        description="A TOML file of named tokens with their quotas; null for none.",
    )
    runs_dir: Path | None = Field(
        default=None,
        validation_alias="MINI_AGENT_RUNS_DIR",
        description="The folder that runs are kept in; null forgets them when the shim stops.",
    )
    runs_keep_days: float = Field(
        default=30.0,
        gt=0,
        le=36_500,
        validation_alias="MINI_AGENT_RUNS_KEEP_DAYS",
        description="Days that runs are kept, at most 36500.",
    )
    runs_keep_mb: int = Field(
        default=1024,
        ge=1,
        validation_alias="MINI_AGENT_RUNS_KEEP_MB",
        description="MiB that the kept runs may take; the oldest go first.",
    )
    runs_at_once: int = Field(
        default=64,
        ge=1,
        validation_alias="MINI_AGENT_RUNS_AT_ONCE",
        description="Runs in progress at the same time.",
    )
    runs_waiting: int = Field(
        default=1000,
        ge=0,
        validation_alias="MINI_AGENT_RUNS_WAITING",
        description="Runs that may wait behind those in progress; one more is refused with 429.",
    )

    @property
    def allowed_names(self) -> tuple[str, ...]:
        """`allowed_hosts` as a tuple of lower-case names."""
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def page_origins(self) -> tuple[str, ...]:
        """`allowed_origins` as a tuple, in lower case and without a slash at the end."""
        origins = (each.strip().lower().rstrip("/") for each in self.allowed_origins.split(","))
        return tuple(each for each in origins if each)

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: str) -> str:
        for origin in (each.strip() for each in value.split(",") if each.strip()):
            if not ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r:.80} is no origin; write scheme and host, and the port if it has "
                    "one, such as https://app.example.org (there is no * for all)"
                )
        return value


def require_token_or_loopback(settings: ShimSettings) -> None:
    """Raise `NotConfigured` where other machines could call the shim without a token."""
    reachable_at = settings.published_on or settings.host
    if requires_token(settings) or is_loopback(reachable_at):
        return
    raise NotConfigured(
        f"the shim would listen on {reachable_at} without a token",
        hint="set MINI_AGENT_SHIM_TOKEN, or MINI_AGENT_API_TOKENS_FILE, or "
        "MINI_AGENT_SHIM_HOST=127.0.0.1; in a container whose port is published on loopback only, "
        "MINI_AGENT_PUBLISHED_ON=127.0.0.1",
    )


def requires_token(settings: ShimSettings) -> bool:
    """Tell whether a caller needs a token."""
    return bool(settings.shim_token.get_secret_value()) or settings.api_tokens_file is not None


def is_loopback(host: str) -> bool:
    """Tell whether a listening address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
