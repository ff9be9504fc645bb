"""What `docker info` tells of the engine."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.cli.doctor.docker import Docker, Said


class EngineFacts(BaseModel):
    """An engine that answers."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    version: str = Field(
        alias="ServerVersion", min_length=1, description="The version of the engine."
    )
    cgroup: str = Field(
        default="?", alias="CgroupVersion", description='The version of cgroups, "1" or "2".'
    )
    architecture: str = Field(
        default="", alias="Architecture", description="The machine's architecture, such as x86_64."
    )
    cpus: int = Field(default=0, alias="NCPU", description="Processor cores of the machine.")
    memory: int = Field(default=0, alias="MemTotal", description="Memory of the machine, in bytes.")
    root: str = Field(
        default="",
        alias="DockerRootDir",
        description="The folder in which the engine keeps its data.",
    )
    runtime: str = Field(
        default="", alias="DefaultRuntime", description="The runtime of containers that name none."
    )
    security: list[str] | None = Field(
        default=None,
        alias="SecurityOptions",
        description="The security options that are on, such as seccomp; null where none are "
        "listed.",
    )
    warnings: list[str] | None = Field(
        default=None,
        alias="Warnings",
        description="What the engine itself warns of; null for nothing.",
    )

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
