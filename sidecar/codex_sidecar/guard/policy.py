"""The policy: decides what becomes of each request, and which containers it may touch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from codex_sidecar.engine.confinement import DEADLINE_LABEL, INSTANCE_LABEL, SANDBOX_LABEL
from codex_sidecar.engine.connection import EngineResponse
from codex_sidecar.guard import relay
from codex_sidecar.guard.allowlist import EngineCall, Operation, match_call
from codex_sidecar.guard.errors import EngineErrorResponse, RequestRefused
from codex_sidecar.guard.http import BufferedConnection, RequestHead
from codex_sidecar.guard.template import SandboxTemplate, parse_confinement
from codex_sidecar.guard.upstream import UpstreamEngine

_CONTAINER_OPERATIONS: Final = frozenset(
    (Operation.INSPECT, Operation.START, Operation.KILL, Operation.ATTACH, Operation.REMOVE)
)


class LabelSource(Protocol):
    """The engine, as far as it knows a container's labels."""

    async def labels(self, name: str) -> dict[str, str]:
        """Return a container's labels."""
        ...


class OwnedContainers:
    """The containers created through this guard, and how many there may be."""

    def __init__(self, engine: LabelSource, instance: str, most: int) -> None:
        self._engine, self._instance, self._most = engine, instance, most
        self._names: set[str] = set()

    def require_room(self) -> None:
        """Raise `RequestRefused` where as many sandboxes exist as may."""
        if len(self._names) >= self._most:
            raise RequestRefused(f"{self._most} sandboxes exist, which is as many as may")

    def add(self, name: str) -> None:
        """Add a container that was created."""
        self._names.add(name)

    def discard(self, name: str) -> None:
        """Remove a container that is gone."""
        self._names.discard(name)

    async def require(self, call: EngineCall, now: float) -> None:
        """Raise `RequestRefused` unless the call may touch its container."""
        if call.operation not in _CONTAINER_OPERATIONS or call.name in self._names:
            return
        labels = await self._engine.labels(call.name)
        if labels.get(SANDBOX_LABEL) != "1":
            raise RequestRefused("this container is not a sandbox")
        if labels.get(INSTANCE_LABEL) == self._instance:
            return
        # Another instance's sandbox may only be removed, once its deadline has passed.
        if call.operation is not Operation.REMOVE or not _is_expired(
            labels.get(DEADLINE_LABEL, ""), now
        ):
            raise RequestRefused("this sandbox is another instance's")


def _is_expired(deadline: str, now: float) -> bool:
    return not deadline.isdecimal() or int(deadline) < now


@dataclass(frozen=True, slots=True)
class Policy:
    """Carries out admitted requests, and raises `RequestRefused` for all others."""

    docker_socket: str
    template: SandboxTemplate
    engine: UpstreamEngine
    owned: OwnedContainers

    async def handle(self, head: RequestHead, body: bytes) -> EngineResponse | BufferedConnection:
        """Return the engine's answer; for attach, the connection with the container's streams."""
        call = match_call(head, self.template.images)
        await self.owned.require(call, time.time())
        if call.operation is Operation.CREATE:
            return await self._create(call, body)
        if call.operation is Operation.ATTACH:
            return await relay.attach(self.docker_socket, await self.engine.build_target(call))
        if call.operation is Operation.REMOVE:
            return await self._remove(call)
        return await self.engine.forward(call)

    async def _create(self, call: EngineCall, body: bytes) -> EngineResponse:
        confinement = parse_confinement(body, self.template, time.time())
        self.owned.require_room()
        # INVARIANT: the engine is sent our own body and not a byte of the request's.
        response = await self.engine.forward(call, confinement.body())
        self.owned.add(call.name)
        return response

    async def _remove(self, call: EngineCall) -> EngineResponse:
        try:
            response = await self.engine.forward(call)
        except EngineErrorResponse as no:
            if no.status == HTTPStatus.NOT_FOUND:
                self.owned.discard(call.name)
            raise
        self.owned.discard(call.name)
        return response
