"""What the environment says to the shim, and whether it may start like that."""

from __future__ import annotations

import ipaddress
from typing import Final

from pydantic import Field

from mini_agent.errors import NotConfigured
from mini_agent.settings import Settings

COMPOSE_NAMES: Final = "litellm-mini-agent,mini-agent"


class ShimSettings(Settings):
    """The library's variables and the service's own.

    `published_on` is the address the container's port is published on: a container listens on
    every interface of its own, so only whoever publishes the port knows who can reach it.
    """

    host: str = Field(default="127.0.0.1", validation_alias="MINI_AGENT_SHIM_HOST")
    port: int = Field(default=8788, ge=1, le=65535, validation_alias="MINI_AGENT_SHIM_PORT")
    published_on: str = Field(default="", validation_alias="MINI_AGENT_PUBLISHED_ON")
    allowed_hosts: str = Field(default=COMPOSE_NAMES, validation_alias="MINI_AGENT_ALLOWED_HOSTS")

    @property
    def allowed_names(self) -> tuple[str, ...]:
        """`allowed_hosts`, taken apart at its commas."""
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())


def require_safe_door(settings: ShimSettings) -> None:
    """`NotConfigured` when others than this machine could call the shim without a token."""
    reachable_at = settings.published_on or settings.host
    if settings.shim_token.get_secret_value() or is_loopback(reachable_at):
        return
    raise NotConfigured(
        f"the shim would listen on {reachable_at} without a token",
        hint="set MINI_AGENT_SHIM_TOKEN, or MINI_AGENT_SHIM_HOST=127.0.0.1; in a container whose "
        "port is published on loopback only, MINI_AGENT_PUBLISHED_ON=127.0.0.1",
    )


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
