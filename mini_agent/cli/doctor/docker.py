"""Run the `docker` command, which knows contexts, hosts and certificates."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

TIMEOUT_S: Final = 20.0
TIMEOUT_EXIT_CODE: Final = 124
_ROW: Final = TypeAdapter(dict[str, object])


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command printed, and how it ended."""

    rc: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether it went well."""
        return self.rc == 0

    @property
    def why(self) -> str:
        """The first line of its complaint."""
        return next((line.strip() for line in self.err.splitlines() if line.strip()), "")

    @property
    def rows(self) -> list[dict[str, str]]:
        """Its lines, each a JSON object whose texts are kept."""
        found = []
        for line in self.out.splitlines():
            try:
                row = _ROW.validate_json(line)
            except ValidationError:
                continue
            found.append({name: text for name, text in row.items() if isinstance(text, str)})
        return found


@dataclass(frozen=True, slots=True)
class Docker:
    """The `docker` command in an environment; `path` is None where there is none."""

    variables: Mapping[str, str] = field(repr=False, default_factory=lambda: dict(os.environ))

    @property
    def path(self) -> str | None:
        """Where the command is."""
        return shutil.which("docker", path=self.variables.get("PATH"))

    async def run(self, *arguments: str, timeout_s: float = TIMEOUT_S) -> CommandResult:
        """Run `docker ARGUMENTS`; one that exceeds the timeout is killed, with code 124."""
        if self.path is None:
            return CommandResult(127, "", "docker is not installed")
        process = await asyncio.create_subprocess_exec(
            self.path,
            *arguments,
            env=dict(self.variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(timeout_s):
                out, err = await process.communicate()
        except TimeoutError:
            return CommandResult(
                TIMEOUT_EXIT_CODE, "", f"docker {arguments[0]} took longer than {timeout_s:g} s"
            )
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        told, complained = (text.decode(errors="replace") for text in (out, err))
        return CommandResult(process.returncode or 0, told, complained)


def parse_labels(row: Mapping[str, str]) -> dict[str, str]:
    """Parse the labels of a row that docker listed."""
    parts = (each.partition("=") for each in row.get("Labels", "").split(","))
    return {name: value for name, _, value in parts if name}


class EngineFacts(BaseModel):
    """Facts about an engine that responds, from `docker info`."""

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


async def read_engine_facts(docker: Docker) -> tuple[EngineFacts | None, CommandResult]:
    """Read the facts of the engine, None where it does not respond, and the command's result."""
    said = await docker.run("info", "--format", "{{json .}}")
    try:
        return EngineFacts.model_validate_json(said.out or "{}"), said
    except ValidationError:
        return None, said
