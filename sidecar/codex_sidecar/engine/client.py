"""The engine: the few calls of Docker's API that we make. Nothing else knows its socket.

What the engine says, as far as it is of use here.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel, ValidationError

from codex_sidecar.engine.attach import HijackedStream, StreamOpener
from codex_sidecar.engine.confinement import SANDBOX_LABEL
from codex_sidecar.engine.connection import EngineResponse, EngineTransport
from codex_sidecar.errors import EngineRefused, EngineUnavailable, NotReady


class EngineModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EngineFacts(EngineModel):
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


class ContainerState(EngineModel):
    """How a container is, or how it ended."""

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


class ContainerDetails(EngineModel):
    """One container."""

    image_id: str = Field(alias="Image", default="", description="The digest of its image.")
    state: ContainerState = Field(alias="State", description="How it is.")
    host_config: HostConfig = Field(alias="HostConfig", description="Its confinement.")


class ContainerSummary(EngineModel):
    """A container of ours, of whichever instance."""

    names: tuple[str, ...] = Field(
        alias="Names", description="The container's names, each with a slash before it."
    )
    labels: dict[str, str] = Field(alias="Labels", description="The container's labels.")

    @property
    def name(self) -> str:
        """Its name, without the slash that the engine puts before it."""
        return self.names[0].removeprefix("/")


class ContainerList(RootModel[tuple[ContainerSummary, ...]]):
    """Those that there are."""


class ImageDetails(EngineModel):
    """An image that a tag stands for at present."""

    id: str = Field(alias="Id", default="", description="The digest of the image.")


class EngineVersion(EngineModel):
    """What the engine speaks."""

    api: str = Field(alias="ApiVersion", description="The newest version of the API, such as 1.45.")


class ErrorMessage(EngineModel):
    """Why not."""

    message: str = Field(description="Why not, in the engine's words.")


MAX_API_VERSION: Final = (1, 45)
ATTACH_TIMEOUT_S: Final = 5.0
_ATTACH: Final = "attach?stream=1&stdin=1&stdout=1&stderr=1"

Model = TypeVar("Model", bound=BaseModel)


class Engine:
    """Docker over its socket. Every call raises `EngineUnavailable` when nobody answers there."""

    def __init__(self, socket_path: str) -> None:
        self._api = ""
        self._opener = StreamOpener(socket_path)
        self._transport = EngineTransport(socket_path)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def ping(self) -> None:
        """Returns at once where there is an engine."""
        await self._transport.ping()

    async def facts(self) -> EngineFacts:
        """What the engine can enforce, and with what."""
        response = await self._call("GET", "/info", "describe itself")
        return _parse(EngineFacts, response)

    async def has_image(self, image: str) -> bool:
        """Whether the image is there; it is never pulled."""
        return await self.image_id(image) is not None

    async def image_id(self, image: str) -> str | None:
        """The id that a tag stands for at present; None where there is no such image."""
        response = await self._call(
            "GET", f"/images/{image}/json", "find an image", accept=HTTPStatus.NOT_FOUND
        )
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        return _parse(ImageDetails, response).id

    async def create(self, name: str, body: dict[str, JsonValue]) -> None:
        """Creates a container; `NotReady` when its image is missing."""
        response = await self._call(
            "POST",
            f"/containers/create?name={name}",
            "create a sandbox",
            body=body,
            accept=HTTPStatus.NOT_FOUND,
        )
        if response.status == HTTPStatus.NOT_FOUND:
            raise NotReady(f"the image {body['Image']} is missing", hint="run `make images`")

    async def start(self, name: str) -> None:
        """Starts a created container."""
        await self._call("POST", f"/containers/{name}/start", "start a sandbox")

    async def inspect(self, name: str) -> ContainerDetails:
        """How a container is, and what holds it."""
        response = await self._call("GET", f"/containers/{name}/json", "inspect a sandbox")
        return _parse(ContainerDetails, response)

    async def kill(self, name: str) -> None:
        """Kills a container's processes, if there are any."""
        await self._call(
            "POST", f"/containers/{name}/kill", "kill a sandbox", accept=_ALREADY_ENDED
        )

    async def remove(self, name: str) -> None:
        """Kills and removes a container, if it is there."""
        path = f"/containers/{name}?force=1&v=1"
        await self._call("DELETE", path, "remove a sandbox", accept=_ALREADY_ENDED)

    async def list_sandboxes(self) -> list[ContainerSummary]:
        """Every container that bears our label, running or not, of any instance."""
        query = urlencode({"all": 1, "filters": json.dumps({"label": [f"{SANDBOX_LABEL}=1"]})})
        response = await self._call("GET", f"/containers/json?{query}", "list the sandboxes")
        return list(_parse(ContainerList, response).root)

    async def attach(self, name: str) -> HijackedStream:
        """A container's streams, on a connection that is no longer HTTP."""
        target = f"{await self._version()}/containers/{name}/{_ATTACH}"
        try:
            async with asyncio.timeout(ATTACH_TIMEOUT_S):
                return await self._opener.open(target)
        except OSError as broken:
            # A deadline that has passed is an OSError too.
            raise self._transport.unavailable(broken) from broken

    async def _call(
        self,
        method: str,
        path: str,
        action: str,
        *,
        body: dict[str, JsonValue] | None = None,
        accept: int | tuple[int, ...] = (),
    ) -> EngineResponse:
        response = await self._send(method, await self._version() + path, body)
        accepted = (accept,) if isinstance(accept, int) else accept
        if response.status >= HTTPStatus.BAD_REQUEST and response.status not in accepted:
            raise EngineRefused(action, response.status, _parse_message(response.body))
        return response

    async def _version(self) -> str:
        if not self._api:
            response = await self._send("GET", "/version", None)
            version = _parse(EngineVersion, response).api
            newest = min(MAX_API_VERSION, tuple(int(part) for part in version.split(".")))
            self._api = "/v" + ".".join(str(part) for part in newest)
        return self._api

    async def _send(
        self, method: str, path: str, body: dict[str, JsonValue] | None
    ) -> EngineResponse:
        try:
            response = await self._transport.send(method, path, body)
            if response.status == HTTPStatus.BAD_GATEWAY:
                # The word of a guard that is there, of an engine that is not.
                raise self._transport.unavailable(_parse_message(response.body))
        except EngineUnavailable:
            # The one that comes back may be another.
            self._api = ""
            raise
        return response


_ALREADY_ENDED: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def _parse(model: type[Model], response: EngineResponse) -> Model:
    try:
        return model.model_validate_json(response.body)
    except ValidationError as odd:
        raise EngineRefused("tell", response.status, f"no {model.__name__}") from odd


def _parse_message(body: bytes) -> str:
    try:
        return ErrorMessage.model_validate_json(body).message
    except ValidationError:
        return body[:200].decode(errors="replace")
