"""What `docker info` tells of the engine."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.doctor.docker_command import Docker, Said


class EngineFacts(BaseModel):
    """An engine that answers."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    version: str = Field(alias="ServerVersion", min_length=1)
    cgroup: str = Field(default="?", alias="CgroupVersion")
    architecture: str = Field(default="", alias="Architecture")
    cpus: int = Field(default=0, alias="NCPU")
    memory: int = Field(default=0, alias="MemTotal")
    root: str = Field(default="", alias="DockerRootDir")
    runtime: str = Field(default="", alias="DefaultRuntime")
    security: list[str] | None = Field(default=None, alias="SecurityOptions")
    warnings: list[str] | None = Field(default=None, alias="Warnings")

    @property
    def is_rootless(self) -> bool:
        """Whether it runs without root."""
        return any("rootless" in each for each in self.security or ())


async def engine_facts(docker: Docker) -> tuple[EngineFacts | None, Said]:
    """The engine, if one answers, and what was said."""
    said = await docker.said("info", "--format", "{{json .}}")
    try:
        return EngineFacts.model_validate_json(said.out or "{}"), said
    except ValidationError:
        return None, said
