"""The settings of the sidecar: variables that begin with CODEX_SIDECAR_, read once by its door."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from codex_sidecar.preload import Kind

Floor = Annotated[int, Field(ge=0, le=256)]
FLOORS: Final[Mapping[Kind, int]] = MappingProxyType(
    {"python": 4, "data": 1, "node": 2, "go": 1, "rust": 1, "bash": 1}
)


class Settings(BaseSettings):
    """Each has a default that suits a sidecar on the engine's own machine."""

    model_config = SettingsConfigDict(env_prefix="CODEX_SIDECAR_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8077
    token_file: Path = Path("/run/mini-agent/token")
    token_mode: Annotated[str, Field(pattern="^[0-7]{3}$")] = "600"  # noqa: S105 - a file mode
    docker_socket: str = "/var/run/docker.sock"
    image_prefix: str = "mini-agent/sandbox-"
    image_tag: str = "local"
    runtime: str = "runc"
    at_once: Annotated[int, Field(ge=1, le=1024)] = max(2, 2 * (os.cpu_count() or 1))
    waiting: Annotated[int, Field(ge=0, le=100_000)] = 64
    sessions: Annotated[int, Field(ge=0, le=1024)] = 32
    warm: dict[Kind, Floor] = Field(default_factory=lambda: dict(FLOORS))
    warm_cap: Annotated[int, Field(ge=1, le=256)] = 32
    drain_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    instance: str = ""

    def instance_name(self) -> str:
        """Who answers for the sandboxes: no two living sidecars of an engine may have the same."""
        return self.instance or f"{socket.gethostname()}-{self.port}"
