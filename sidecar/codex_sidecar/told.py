"""What the engine says, as far as it is of use here."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EngineFacts(_Said):
    """What the engine says of itself and its machine."""

    cpus: int = Field(alias="NCPU")
    memory: int = Field(alias="MemTotal")
    runtimes: dict[str, JsonValue] = Field(alias="Runtimes")
    limits_memory: bool = Field(alias="MemoryLimit")
    limits_swap: bool = Field(alias="SwapLimit", default=True)
    limits_cpu: bool = Field(alias="CpuCfsQuota")
    limits_pids: bool = Field(alias="PidsLimit")
    security: tuple[str, ...] = Field(alias="SecurityOptions")


class State(_Said):
    """How a container is, or how it ended."""

    running: bool = Field(alias="Running")
    exit_code: int = Field(alias="ExitCode")
    oom_killed: bool = Field(alias="OOMKilled")
    error: str = Field(alias="Error", default="")


class Ulimit(_Said):
    """One limit of each process."""

    name: str = Field(alias="Name")
    hard: int = Field(alias="Hard")


class HostConfig(_Said):
    """The confinement as the engine holds it."""

    memory: int = Field(alias="Memory")
    memory_and_swap: int = Field(alias="MemorySwap")
    nano_cpus: int = Field(alias="NanoCpus")
    pids: int | None = Field(alias="PidsLimit", default=None)
    network: str = Field(alias="NetworkMode")
    runtime: str = Field(alias="Runtime")
    tmpfs: dict[str, str] = Field(alias="Tmpfs", default={})
    ulimits: tuple[Ulimit, ...] = Field(alias="Ulimits", default=())


class Inspected(_Said):
    """One container, and the digest of its image."""

    image_id: str = Field(alias="Image", default="")
    state: State = Field(alias="State")
    host_config: HostConfig = Field(alias="HostConfig")


class Found(_Said):
    """A container of ours, of whichever instance."""

    names: tuple[str, ...] = Field(alias="Names")
    labels: dict[str, str] = Field(alias="Labels")

    @property
    def name(self) -> str:
        """Its name, without the slash that the engine puts before it."""
        return self.names[0].removeprefix("/")


class Listed(RootModel[tuple[Found, ...]]):
    """Those that there are."""


class Image(_Said):
    """An image that a tag stands for at present."""

    id: str = Field(alias="Id", default="")


class Version(_Said):
    """The newest API that the engine speaks."""

    api: str = Field(alias="ApiVersion")


class Refusal(_Said):
    """Why not."""

    message: str
