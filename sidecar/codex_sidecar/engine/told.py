"""What the engine says, as far as it is of use here."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EngineFacts(_Said):
    """What the engine says of itself and its machine."""

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


class State(_Said):
    """How a container is, or how it ended."""

    running: bool = Field(alias="Running", description="Whether the container runs.")
    exit_code: int = Field(alias="ExitCode", description="The exit code; 0 while it runs.")
    oom_killed: bool = Field(
        alias="OOMKilled", description="Whether the kernel killed it for lack of memory."
    )
    error: str = Field(
        alias="Error", default="", description="Why it could not be started; empty for nothing."
    )


class Ulimit(_Said):
    """One limit of each process."""

    name: str = Field(alias="Name", description="The name of the limit, such as nofile.")
    hard: int = Field(alias="Hard", description="The hard limit.")


class HostConfig(_Said):
    """The confinement as the engine holds it."""

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


class Inspected(_Said):
    """One container."""

    image_id: str = Field(alias="Image", default="", description="The digest of its image.")
    state: State = Field(alias="State", description="How it is.")
    host_config: HostConfig = Field(alias="HostConfig", description="Its confinement.")


class Found(_Said):
    """A container of ours, of whichever instance."""

    names: tuple[str, ...] = Field(
        alias="Names", description="The container's names, each with a slash before it."
    )
    labels: dict[str, str] = Field(alias="Labels", description="The container's labels.")

    @property
    def name(self) -> str:
        """Its name, without the slash that the engine puts before it."""
        return self.names[0].removeprefix("/")


class Listed(RootModel[tuple[Found, ...]]):
    """Those that there are."""


class Image(_Said):
    """An image that a tag stands for at present."""

    id: str = Field(alias="Id", default="", description="The digest of the image.")


class Version(_Said):
    """What the engine speaks."""

    api: str = Field(alias="ApiVersion", description="The newest version of the API, such as 1.45.")


class Refusal(_Said):
    """Why not."""

    message: str = Field(description="Why not, in the engine's words.")
