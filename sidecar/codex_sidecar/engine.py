"""The engine: the few calls of Docker's API that we make. Nothing else knows its socket."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from codex_sidecar.attached import CHUNK, Attached
from codex_sidecar.confinement import SANDBOX_LABEL
from codex_sidecar.errors import EngineGone, EngineRefused, NotReady

NEWEST_API: Final = (1, 45)
CHANGE_S: Final = 30.0
ASK_S: Final = 10.0
CONNECT_S: Final = 2.0
_ATTACH: Final = "attach?stream=1&stdin=1&stdout=1&stderr=1"


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EngineFacts(_Said):
    """What the engine says of itself and its machine."""

    cpus: int = Field(alias="NCPU")
    memory: int = Field(alias="MemTotal")
    runtimes: dict[str, JsonValue] = Field(alias="Runtimes")
    limits_memory: bool = Field(alias="MemoryLimit")
    limits_cpu: bool = Field(alias="CpuCfsQuota")
    limits_pids: bool = Field(alias="PidsLimit")
    security: tuple[str, ...] = Field(alias="SecurityOptions")


class State(_Said):
    """How a container is, or how it ended."""

    running: bool = Field(alias="Running")
    exit_code: int = Field(alias="ExitCode")
    oom_killed: bool = Field(alias="OOMKilled")
    error: str = Field(alias="Error", default="")


class HostConfig(_Said):
    """The confinement as the engine holds it."""

    memory: int = Field(alias="Memory")
    nano_cpus: int = Field(alias="NanoCpus")
    pids: int | None = Field(alias="PidsLimit", default=None)
    network: str = Field(alias="NetworkMode")
    runtime: str = Field(alias="Runtime")
    tmpfs: dict[str, str] = Field(alias="Tmpfs", default={})


class Inspected(_Said):
    """One container."""

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


class _Version(_Said):
    api: str = Field(alias="ApiVersion")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class Engine:
    """Docker over its socket. Every call raises `EngineGone` when nobody answers there."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._api = ""
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=socket_path),
            base_url="http://engine",
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def facts(self) -> EngineFacts:
        """What the engine can enforce, and with what."""
        answer = await self._call("GET", "/info", "describe itself")
        return EngineFacts.model_validate_json(answer.body)

    async def has_image(self, image: str) -> bool:
        """Whether the image is there; it is never pulled."""
        answer = await self._call(
            "GET", f"/images/{image}/json", "find an image", accept=HTTPStatus.NOT_FOUND
        )
        return answer.status != HTTPStatus.NOT_FOUND

    async def create(self, name: str, body: dict[str, JsonValue]) -> None:
        """Creates a container; `NotReady` when its image is missing."""
        answer = await self._call(
            "POST",
            f"/containers/create?name={name}",
            "create a sandbox",
            body=body,
            accept=HTTPStatus.NOT_FOUND,
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            raise NotReady(f"the image {body['Image']} is missing", hint="run `make images`")

    async def start(self, name: str) -> None:
        """Starts a created container."""
        await self._call("POST", f"/containers/{name}/start", "start a sandbox")

    async def inspect(self, name: str) -> Inspected:
        """How a container is, and what holds it."""
        answer = await self._call("GET", f"/containers/{name}/json", "inspect a sandbox")
        return Inspected.model_validate_json(answer.body)

    async def kill(self, name: str) -> None:
        """Kills a container's processes, if there are any."""
        await self._call("POST", f"/containers/{name}/kill", "kill a sandbox", accept=_GONE)

    async def remove(self, name: str) -> None:
        """Kills and removes a container, if it is there."""
        path = f"/containers/{name}?force=1&v=1"
        await self._call("DELETE", path, "remove a sandbox", accept=_GONE)

    async def sandboxes(self) -> list[Found]:
        """Every container that bears our label, running or not, of any instance."""
        chosen = httpx.QueryParams(all="1", filters=json.dumps({"label": [f"{SANDBOX_LABEL}=1"]}))
        answer = await self._call("GET", f"/containers/json?{chosen}", "list the sandboxes")
        return _FOUND.validate_json(answer.body)

    async def attach(self, name: str) -> Attached:
        """A container's streams, on a connection that is no longer HTTP."""
        path = f"{await self._version()}/containers/{name}/{_ATTACH}"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: engine\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n"
        )
        try:
            async with asyncio.timeout(ASK_S):
                return await self._hijacked(head)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as broken:
            raise self._gone(broken) from broken

    async def _hijacked(self, head: str) -> Attached:
        reader, writer = await asyncio.open_unix_connection(self._socket_path, limit=CHUNK)
        attached = Attached(reader, writer)
        try:
            await attached.send(head.encode())
            _require_stream(await reader.readuntil(b"\r\n\r\n"))
        except BaseException:
            await attached.close()
            raise
        return attached

    async def _call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: dict[str, JsonValue] | None = None,
        accept: int | tuple[int, ...] = (),
    ) -> _Answer:
        answer = await self._send(method, await self._version() + path, body)
        accepted = (accept,) if isinstance(accept, int) else accept
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status not in accepted:
            raise EngineRefused(what, answer.status, _message(answer.body))
        return answer

    async def _version(self) -> str:
        if not self._api:
            answer = await self._send("GET", "/version", None)
            offered = _Version.model_validate_json(answer.body).api
            newest = min(NEWEST_API, tuple(int(part) for part in offered.split(".")))
            self._api = "/v" + ".".join(str(part) for part in newest)
        return self._api

    async def _send(self, method: str, path: str, body: dict[str, JsonValue] | None) -> _Answer:
        patience = httpx.Timeout(ASK_S if method == "GET" else CHANGE_S, connect=CONNECT_S)
        try:
            response = await self._http.request(method, path, json=body, timeout=patience)
        except httpx.HTTPError as broken:
            raise self._gone(broken) from broken
        return _Answer(response.status_code, response.content)

    def _gone(self, broken: Exception) -> EngineGone:
        self._api = ""
        why = str(broken) or type(broken).__name__
        return EngineGone(
            f"the Docker Engine does not answer on {self._socket_path}: {why}",
            hint="is the daemon running, and may this process use its socket? It is tried again",
        )


_GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_FOUND: Final = TypeAdapter(list[Found])


def _require_stream(said: bytes) -> None:
    status = int(said.split(b" ", 2)[1])
    if status not in (HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.OK):
        raise EngineRefused("attach to a sandbox", status, "no stream")


def _message(body: bytes) -> str:
    try:
        return _Refusal.model_validate_json(body).message
    except ValueError:
        return body[:200].decode(errors="replace")


class _Refusal(_Said):
    message: str
