"""Whose a container is: the guard touches those it made, and what others of ours left behind."""

from __future__ import annotations

from typing import Final, Protocol

from codex_sidecar.engine.confinement import DEADLINE_LABEL, INSTANCE_LABEL, SANDBOX_LABEL
from codex_sidecar.guard.allowlist import Act, Call
from codex_sidecar.guard.errors import Refused

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
