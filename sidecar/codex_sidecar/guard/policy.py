"""The gate: what becomes of one request.

Whose a container is: the guard touches those it made, and what others of ours left behind.
"""

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
    """The engine, as far as it is asked whose a container is."""

    async def labels(self, name: str) -> dict[str, str]:
        """A container's labels."""
        ...


class OwnedContainers:
    """The names of the containers that came to be through this guard, and how many may."""

    def __init__(self, engine: LabelSource, instance: str, most: int) -> None:
        self._engine, self._instance, self._most = engine, instance, most
        self._made: set[str] = set()

    def require_room(self) -> None:
        """Raises `RequestRefused` where as many sandboxes exist as may."""
        if len(self._made) >= self._most:
            raise RequestRefused(f"{self._most} sandboxes exist, which is as many as may")

    def made(self, name: str) -> None:
        """It came to be."""
        self._made.add(name)

    def removed(self, name: str) -> None:
        """It is gone."""
        self._made.discard(name)

    async def require(self, call: EngineCall, now: float) -> None:
        """Raises `RequestRefused` unless the container that the call names may be touched so."""
        if call.operation not in _CONTAINER_OPERATIONS or call.name in self._made:
            return
        labels = await self._engine.labels(call.name)
        if labels.get(SANDBOX_LABEL) != "1":
            raise RequestRefused("this container is not a sandbox")
        if labels.get(INSTANCE_LABEL) == self._instance:
            return
        # Another's sandbox, with another's snippet in it: to be removed once its time is over.
        if call.operation is not Operation.REMOVE or not _is_expired(
            labels.get(DEADLINE_LABEL, ""), now
        ):
            raise RequestRefused("this sandbox is another instance's")


def _is_expired(deadline: str, now: float) -> bool:
    return not deadline.isdecimal() or int(deadline) < now


@dataclass(frozen=True, slots=True)
class Policy:
    """Lets a request through, or raises what is wrong with it."""

    docker_socket: str
    template: SandboxTemplate
    engine: UpstreamEngine
    owned: OwnedContainers

    async def pass_through(
        self, head: RequestHead, body: bytes
    ) -> EngineResponse | BufferedConnection:
        """The engine's answer; for attach, the container's streams."""
        call = match_call(head, self.template.images)
        await self.owned.require(call, time.time())
        if call.operation is Operation.CREATE:
            return await self._create(call, body)
        if call.operation is Operation.ATTACH:
            return await relay.attach(self.docker_socket, await self.engine.versioned(call))
        if call.operation is Operation.REMOVE:
            return await self._remove(call)
        return await self.engine.pass_on(call)

    async def _create(self, call: EngineCall, body: bytes) -> EngineResponse:
        confinement = parse_confinement(body, self.template, time.time())
        self.owned.require_room()
        # INVARIANT: what the engine gets is ours, word for word: not a byte of the request.
        response = await self.engine.pass_on(call, confinement.body())
        self.owned.made(call.name)
        return response

    async def _remove(self, call: EngineCall) -> EngineResponse:
        try:
            response = await self.engine.pass_on(call)
        except EngineErrorResponse as no:
            if no.status == HTTPStatus.NOT_FOUND:
                self.owned.removed(call.name)
            raise
        self.owned.removed(call.name)
        return response
