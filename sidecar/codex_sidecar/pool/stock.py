"""The sandboxes of one kind that are ready and wait for a lease."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from codex_sidecar.kinds import Kind
from codex_sidecar.pool.back_off import BackOff
from codex_sidecar.pool.demand import Demand

LONGEST_WAIT_S: Final = 900.0


class Member(Protocol):
    """A sandbox that waits."""

    @property
    def is_alive(self) -> bool:
        """Whether its stream is open."""
        ...


Item = TypeVar("Item", bound=Member)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many members there are when nothing is asked for, and how many at most."""

    floor: int
    cap: int


@dataclass(frozen=True, slots=True)
class Place(Generic[Item]):
    """A member, since when it is here, and the id of the image that it is of."""

    member: Item
    since: float
    image_id: str


class Stock(Generic[Item]):
    """First in, first out.

    `room` is how many more members this machine has memory for. Nothing is lacking as long as
    `image_id`, that of the image at present, is empty: there is none, or nobody knows.
    """

    def __init__(self, kind: Kind, bounds: Bounds) -> None:
        self.kind = kind
        self.back_off = BackOff()
        self.filling = 0
        self.image_id = ""
        self.room = bounds.cap
        self._bounds = bounds
        self._demand = Demand()
        self._places = deque[Place[Item]]()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def target(self) -> int:
        """How many members there should be."""
        wanted = min(self._demand.expected(time.monotonic()), self._bounds.cap)
        return max(self._bounds.floor, min(wanted, len(self) + self.filling + self.room))

    @property
    def lacks(self) -> int:
        """How many more should be made now."""
        if not self.image_id or not self.back_off.is_over:
            return 0
        return self.target - len(self) - self.filling

    def put(self, member: Item, image_id: str) -> None:
        """A new member, for which this was the image when its making began."""
        self._places.append(Place(member, time.monotonic(), image_id))

    def want(self) -> None:
        """One is asked for, whether there is one or not."""
        self._demand.note(time.monotonic())

    def take(self) -> Item | None:
        """The one that has waited longest, which may have died meanwhile; None of none."""
        return self._places.popleft().member if self._places else None

    def weed(self) -> list[Item]:
        """Takes out who died, is of another image or has waited too long; and one of too many."""
        fit, out = deque[Place[Item]](), list[Item]()
        for place in self._places:
            if self._is_fit(place):
                fit.append(place)
            else:
                out.append(place.member)
        self._places = fit
        if len(fit) > self.target:
            out.append(fit.popleft().member)
        return out

    def close(self) -> list[Item]:
        """Takes out all, and wants no more."""
        self._bounds = Bounds(0, 0)
        out = [place.member for place in self._places]
        self._places.clear()
        return out

    def _is_fit(self, place: Place[Item]) -> bool:
        is_young = time.monotonic() - place.since < LONGEST_WAIT_S
        return place.member.is_alive and place.image_id == self.image_id and is_young
