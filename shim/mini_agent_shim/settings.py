"""What the environment says to the shim, and whether it may start like that."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Final

from pydantic import Field

from mini_agent.errors import NotConfigured
from mini_agent.settings import Settings

COMPOSE_NAMES: Final = "litellm-mini-agent,mini-agent"


class ShimSettings(Settings):
    """The library's variables and the service's own.

    `published_on` is the address the container's port is published on: a container listens on
    every interface of its own, so only whoever publishes the port knows who can reach it.

    Without a `runs_dir` the runs are forgotten when the shim stops.
    """

    host: str = Field(default="127.0.0.1", validation_alias="MINI_AGENT_SHIM_HOST")
    port: int = Field(default=8788, ge=1, le=65535, validation_alias="MINI_AGENT_SHIM_PORT")
    published_on: str = Field(default="", validation_alias="MINI_AGENT_PUBLISHED_ON")
    allowed_hosts: str = Field(default=COMPOSE_NAMES, validation_alias="MINI_AGENT_ALLOWED_HOSTS")
    api_tokens_file: Path | None = Field(
        default=None, validation_alias="MINI_AGENT_API_TOKENS_FILE"
    )
    runs_dir: Path | None = Field(default=None, validation_alias="MINI_AGENT_RUNS_DIR")
    runs_keep_days: float = Field(
        default=30.0, gt=0, le=36_500, validation_alias="MINI_AGENT_RUNS_KEEP_DAYS"
    )
    runs_keep_mb: int = Field(default=1024, ge=1, validation_alias="MINI_AGENT_RUNS_KEEP_MB")
    runs_at_once: int = Field(default=64, ge=1, validation_alias="MINI_AGENT_RUNS_AT_ONCE")
    runs_waiting: int = Field(default=1000, ge=0, validation_alias="MINI_AGENT_RUNS_WAITING")

    @property
    def allowed_names(self) -> tuple[str, ...]:
        """`allowed_hosts`, taken apart at its commas."""
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())


def require_safe_door(settings: ShimSettings) -> None:
    """`NotConfigured` when others than this machine could call the shim without a token."""
    reachable_at = settings.published_on or settings.host
    if asks_for_a_token(settings) or is_loopback(reachable_at):
        return
    raise NotConfigured(
        f"the shim would listen on {reachable_at} without a token",
        hint="set MINI_AGENT_SHIM_TOKEN, or MINI_AGENT_API_TOKENS_FILE, or "
        "MINI_AGENT_SHIM_HOST=127.0.0.1; in a container whose port is published on loopback only, "
        "MINI_AGENT_PUBLISHED_ON=127.0.0.1",
    )


def asks_for_a_token(settings: ShimSettings) -> bool:
    """Whether a caller without a token is turned away."""
    return bool(settings.shim_token.get_secret_value()) or settings.api_tokens_file is not None


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
