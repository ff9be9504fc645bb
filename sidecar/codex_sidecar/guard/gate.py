"""The gate: what becomes of one request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus

from codex_sidecar.engine.exchange import Answer
from codex_sidecar.guard import relay
from codex_sidecar.guard.allowlist import Act, Call, call_of
from codex_sidecar.guard.errors import EngineSaidNo
from codex_sidecar.guard.head import Head
from codex_sidecar.guard.http import Incoming
from codex_sidecar.guard.policy import Owned
from codex_sidecar.guard.template import Terms, confinement_in
from codex_sidecar.guard.upstream import Upstream


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
