"""The gate: what becomes of one request.

Whose a container is: the guard touches those it made, and what others of ours left behind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from codex_sidecar.engine.confinement import DEADLINE_LABEL, INSTANCE_LABEL, SANDBOX_LABEL
from codex_sidecar.engine.connection import Answer
from codex_sidecar.guard import relay
from codex_sidecar.guard.allowlist import Act, Call, call_of
from codex_sidecar.guard.errors import EngineSaidNo, Refused
from codex_sidecar.guard.http import Head, Incoming
from codex_sidecar.guard.template import Terms, confinement_in
from codex_sidecar.guard.upstream import Upstream

_OF_ONE: Final = frozenset((Act.INSPECT, Act.START, Act.KILL, Act.ATTACH, Act.REMOVE))


class Labels(Protocol):
    """The engine, as far as it is asked whose a container is."""

    async def labels(self, name: str) -> dict[str, str]:
        """A container's labels."""
        ...


class Owned:
    """The names of the containers that came to be through this guard, and how many may."""

    def __init__(self, engine: Labels, instance: str, most: int) -> None:
        self._engine, self._instance, self._most = engine, instance, most
        self._made: set[str] = set()

    def require_room(self) -> None:
        """Raises `Refused` where as many sandboxes exist as may."""
        if len(self._made) >= self._most:
            raise Refused(f"{self._most} sandboxes exist, which is as many as may")

    def made(self, name: str) -> None:
        """It came to be."""
        self._made.add(name)

    def removed(self, name: str) -> None:
        """It is gone."""
        self._made.discard(name)

    async def require(self, call: Call, now: float) -> None:
        """Raises `Refused` unless the container that the call names may be touched so."""
        if call.act not in _OF_ONE or call.name in self._made:
            return
        labels = await self._engine.labels(call.name)
        if labels.get(SANDBOX_LABEL) != "1":
            raise Refused("this container is not a sandbox")
        if labels.get(INSTANCE_LABEL) == self._instance:
            return
        # Another's sandbox, with another's snippet in it: to be removed once its time is over.
        if call.act is not Act.REMOVE or not _is_over(labels.get(DEADLINE_LABEL, ""), now):
            raise Refused("this sandbox is another instance's")


def _is_over(deadline: str, now: float) -> bool:
    return not deadline.isdecimal() or int(deadline) < now


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets a request through, or raises what is wrong with it."""

    docker_socket: str
    terms: Terms
    engine: Upstream
    owned: Owned

    async def pass_through(self, head: Head, body: bytes) -> Answer | Incoming:
        """The engine's answer; for attach, the container's streams."""
        call = call_of(head, self.terms.images)
        await self.owned.require(call, time.time())
        if call.act is Act.CREATE:
            return await self._create(call, body)
        if call.act is Act.ATTACH:
            return await relay.streams(self.docker_socket, await self.engine.versioned(call))
        if call.act is Act.REMOVE:
            return await self._remove(call)
        return await self.engine.pass_on(call)

    async def _create(self, call: Call, body: bytes) -> Answer:
        confinement = confinement_in(body, self.terms, time.time())
        self.owned.require_room()
        # INVARIANT: what the engine gets is ours, word for word: not a byte of the request.
        answer = await self.engine.pass_on(call, confinement.body())
        self.owned.made(call.name)
        return answer

    async def _remove(self, call: Call) -> Answer:
        try:
            answer = await self.engine.pass_on(call)
        except EngineSaidNo as no:
            if no.status == HTTPStatus.NOT_FOUND:
                self.owned.removed(call.name)
            raise
        self.owned.removed(call.name)
        return answer
