"""Settings of the guard: environment variables that begin with CODEX_GUARD_, read once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from codex_sidecar.engine.confinement import ImageCatalog
from codex_sidecar.engine.limits import Host
from codex_sidecar.guard.template import SandboxTemplate


class GuardSettings(BaseSettings):
    """Settings; images, runtime and instance have to be those of the sidecar."""

    model_config = SettingsConfigDict(env_prefix="CODEX_GUARD_", frozen=True, extra="ignore")

    socket: Path = Field(
        default=Path("/run/engine/engine.sock"), description="The socket that the guard listens on."
    )
    docker_socket: str = Field(
        default="/var/run/docker.sock", description="The engine's own socket."
    )
    instance: Annotated[
        str, Field(max_length=128, description="The instance of the sidecar behind it.")
    ] = "mini-agent"
    image_prefix: str = Field(
        default="mini-agent/sandbox-",
        description="The beginning of the images' names; the language follows.",
    )
    image_tag: str = Field(default="local", description="The tag of the images.")
    runtime: str = Field(default="runc", description="The engine's runtime that sandboxes run on.")
    most_memory_mb: Annotated[
        int, Field(ge=32, description="Memory that one sandbox may have, in MiB.")
    ] = 8192
    most_cpus: Annotated[
        int, Field(ge=1, description="Processor cores that one sandbox may have.")
    ] = 64
    most_sandboxes: Annotated[
        int, Field(ge=1, description="Sandboxes that may exist at the same time.")
    ] = 512
    longest_s: Annotated[float, Field(gt=0, description="Seconds that one sandbox may exist.")] = (
        7200.0
    )

    def template(self) -> SandboxTemplate:
        """Return what every admitted sandbox has to match."""
        return SandboxTemplate(
            images=frozenset(ImageCatalog(self.image_prefix, self.image_tag).images()),
            runtime=self.runtime,
            instance=self.instance,
            host=Host(cpus=self.most_cpus, memory_mb=self.most_memory_mb),
            longest_s=self.longest_s,
        )
