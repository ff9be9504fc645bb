"""Settings of the sidecar: environment variables that begin with CODEX_SIDECAR_, read once."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from codex_sidecar.kinds import SandboxKind
from mini_agent_protocol.languages import REGISTRY

StockSize = Annotated[int, Field(ge=0, le=256)]
MIN_WARM: Final[Mapping[SandboxKind, int]] = MappingProxyType(
    {kind: count for spec in REGISTRY for kind, count in ((spec.name, spec.warm), *spec.preloads)}
)


class Settings(BaseSettings):
    """Settings; the defaults suit a sidecar on the engine's own machine."""

    model_config = SettingsConfigDict(env_prefix="CODEX_SIDECAR_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="The address that the service listens on.")
    port: Annotated[
        int, Field(ge=1, le=65_535, description="The port that the service listens on.")
    ] = 8077
    token_file: Path = Field(
        default=Path("/run/mini-agent/token"),
        description="The file that the token is read from; it is made at the first start.",
    )
    token_mode: Annotated[
        str, Field(pattern="^[0-7]{3}$", description="The mode of that file, in octal digits.")
    ] = "600"  # noqa: S105 - a file mode
    docker_socket: str = Field(default="/var/run/docker.sock", description="The engine's socket.")
    image_prefix: str = Field(
        default="mini-agent/sandbox-",
        description="The beginning of the images' names; the language follows.",
    )
    image_tag: str = Field(default="local", description="The tag of the images.")
    runtime: str = Field(
        default="runc",
        description="The engine's runtime that sandboxes run on, such as runc or runsc.",
    )
    at_once: Annotated[
        int,
        Field(
            ge=1,
            le=1024,
            description="Snippets that run at the same time; by default twice the cores.",
        ),
    ] = max(2, 2 * (os.cpu_count() or 1))
    waiting: Annotated[
        int, Field(ge=0, le=100_000, description="Snippets that may wait for their turn.")
    ] = 64
    sessions: Annotated[int, Field(ge=0, le=1024, description="Sessions that may be open.")] = 32
    warm: dict[SandboxKind, StockSize] = Field(
        default_factory=lambda: dict(MIN_WARM),
        description="Sandboxes that are kept ready at least, by kind; {} for none.",
    )
    warm_cap: Annotated[
        int, Field(ge=1, le=256, description="Sandboxes of one kind that are kept ready at most.")
    ] = 32
    drain_s: Annotated[
        float,
        Field(
            ge=0,
            le=3600,
            description="Seconds that snippets have to end when the service is stopped.",
        ),
    ] = 5.0
    instance: str = Field(
        default="",
        description="The name that marks its sandboxes; empty makes one of host name and port.",
    )

    def instance_name(self) -> str:
        """Return the name that owns the sandboxes; unique among the sidecars of one engine."""
        return self.instance or f"{socket.gethostname()}-{self.port}"
