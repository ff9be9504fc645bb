"""What Docker's API answers: the fields that we read, under their names in the API."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel, ValidationError

MAX_API_VERSION: Final = (1, 45)
MAX_MESSAGE_BYTES: Final = 200


class EngineModel(BaseModel):
    """A part of the engine's JSON; fields that we do not read are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EngineFacts(EngineModel):
    """What the engine reports of itself and its machine (`GET /info`)."""

    cpus: int = Field(alias="NCPU", description="Processor cores of the machine.")
    memory: int = Field(alias="MemTotal", description="Memory of the machine, in bytes.")
    runtimes: dict[str, JsonValue] = Field(alias="Runtimes", description="The runtimes by name.")
    limits_memory: bool = Field(
        alias="MemoryLimit", description="Whether the engine can limit memory."
    )
    limits_swap: bool = Field(
        alias="SwapLimit", default=True, description="Whether the engine can limit swap."
    )
    limits_cpu: bool = Field(
        alias="CpuCfsQuota", description="Whether the engine can limit processor time."
    )
    limits_pids: bool = Field(
        alias="PidsLimit", description="Whether the engine can limit processes."
    )
    security: tuple[str, ...] = Field(
        alias="SecurityOptions", description="The security options that are on."
    )


class ContainerState(EngineModel):
    """Whether a container runs, or how it ended."""

    running: bool = Field(alias="Running", description="Whether the container runs.")
    exit_code: int = Field(alias="ExitCode", description="The exit code; 0 while it runs.")
    oom_killed: bool = Field(
        alias="OOMKilled", description="Whether the kernel killed it for lack of memory."
    )
    error: str = Field(
        alias="Error", default="", description="Why it could not be started; empty for nothing."
    )


class Ulimit(EngineModel):
    """One limit of each process."""

    name: str = Field(alias="Name", description="The name of the limit, such as nofile.")
    hard: int = Field(alias="Hard", description="The hard limit.")


class HostConfig(EngineModel):
    """A container's confinement as the engine holds it."""

    memory: int = Field(alias="Memory", description="Memory, in bytes.")
    memory_and_swap: int = Field(
        alias="MemorySwap", description="Memory and swap together, in bytes."
    )
    nano_cpus: int = Field(alias="NanoCpus", description="Processor time, in billionths of a core.")
    pids: int | None = Field(
        alias="PidsLimit",
        default=None,
        description="Processes and threads at the same time; null for no limit.",
    )
    network: str = Field(alias="NetworkMode", description="The network mode.")
    runtime: str = Field(alias="Runtime", description="The runtime.")
    tmpfs: dict[str, str] = Field(
        alias="Tmpfs", default={}, description="Options of the file systems in memory, by path."
    )
    ulimits: tuple[Ulimit, ...] = Field(
        alias="Ulimits", default=(), description="The limits of each process."
    )


class ContainerDetails(EngineModel):
    """One container (`GET /containers/NAME/json`)."""

    image_id: str = Field(alias="Image", default="", description="The digest of its image.")
    state: ContainerState = Field(alias="State", description="How it is.")
    host_config: HostConfig = Field(alias="HostConfig", description="Its confinement.")


class ContainerSummary(EngineModel):
    """One of our containers, of any instance (`GET /containers/json`)."""

    names: tuple[str, ...] = Field(
        alias="Names", description="The container's names, each with a slash before it."
    )
    labels: dict[str, str] = Field(alias="Labels", description="The container's labels.")

    @property
    def name(self) -> str:
        """The name, without the slash that the engine puts before it."""
        return self.names[0].removeprefix("/")


class ContainerList(RootModel[tuple[ContainerSummary, ...]]):
    """The body of `GET /containers/json`."""


class ImageDetails(EngineModel):
    """The image that a tag stands for at present (`GET /images/TAG/json`)."""

    id: str = Field(alias="Id", default="", description="The digest of the image.")


class EngineVersion(EngineModel):
    """The body of `GET /version`."""

    api: str = Field(alias="ApiVersion", description="The newest version of the API, such as 1.45.")

    @property
    def path_prefix(self) -> str:
        """The prefix of paths, such as `/v1.45`: the newest version that both know."""
        offered = tuple(int(part) for part in self.api.split("."))
        return "/v" + ".".join(str(part) for part in min(MAX_API_VERSION, offered))


class ErrorMessage(EngineModel):
    """The body of an error."""

    message: str = Field(description="Why not, in the engine's words.")


def parse_error_message(body: bytes) -> str:
    """Read why the engine refused; the beginning of the body where it is not Docker's JSON."""
    try:
        return ErrorMessage.model_validate_json(body).message
    except ValidationError:
        return body[:MAX_MESSAGE_BYTES].decode(errors="replace")
