"""The sandboxes of one kind that are ready and wait for a lease.

How much is asked for at once, as far as the recent past tells.

When to try again what has failed: later each time, and not all at the same moment.

Whether requests that wait for a sandbox are passing through, so that other work keeps still.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from codex_sidecar.kinds import SandboxKind

BURST_S: Final = 5.0
HALF_LIFE_S: Final = 60.0


class DemandEstimator:
    """The most that was taken within a burst's time; half of it is forgotten each minute.

    Times are seconds of a clock that does not jump.
    """

    def __init__(self) -> None:
        self._recent = deque[float]()
        self._peak = 0.0
        self._peak_at = 0.0

    def record(self, now: float) -> None:
        """One more was asked for."""
        self._recent.append(now)
        while self._recent[0] <= now - BURST_S:
            self._recent.popleft()
        self._peak, self._peak_at = max(self._decayed_peak(now), float(len(self._recent))), now

    def estimate(self, now: float) -> int:
        """As many may be asked for in the next burst."""
        # A demand that has all but faded is none, or every kind would keep one member for ever.
        return math.ceil(self._decayed_peak(now) - 0.5)

    def _decayed_peak(self, now: float) -> float:
        return float(self._peak * 0.5 ** ((now - self._peak_at) / HALF_LIFE_S))


MIN_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 30.0


class Backoff:
    """Of one thing that can fail."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it may be tried."""
        return time.monotonic() >= self._until

    def record_failure(self) -> float:
        """It has failed; the seconds until it may be tried again."""
        pause_s = min(MAX_BACKOFF_S, MIN_BACKOFF_S * 2.0 ** min(self._failures, 16))
        pause_s *= 0.5 + random.random() / 2  # noqa: S311 - it only spreads the attempts
        self._failures += 1
        self._until = time.monotonic() + pause_s
        return pause_s

    def reset(self) -> None:
        """It works again."""
        self._failures, self._until = 0, 0.0


QUIET_S: Final = 0.03
MAX_QUIET_WAIT_S: Final = 0.5


class LeaseActivity:
    """A request from stock takes milliseconds; making or removing a sandbox takes all cores."""

    def __init__(self) -> None:
        self._last = 0.0

    def record(self) -> None:
        """A request is passing."""
        self._last = time.monotonic()

    async def wait_until_quiet(self) -> None:
        """Returns when none has passed for a moment, or has not ceased to for too long."""
        deadline = time.monotonic() + MAX_QUIET_WAIT_S
        while self._last + QUIET_S > (now := time.monotonic()) and now < deadline:  # noqa: ASYNC110
            await asyncio.sleep(QUIET_S)


MAX_AGE_S: Final = 900.0


class Member(Protocol):
    """A sandbox that waits."""

    @property
    def is_alive(self) -> bool:
        """Whether its stream is open."""
        ...


Item = TypeVar("Item", bound=Member)


@dataclass(frozen=True, slots=True)
class StockBounds:
    """How many members there are when nothing is asked for, and how many at most."""

    floor: int
    cap: int


@dataclass(frozen=True, slots=True)
class StockEntry(Generic[Item]):
    """A member, since when it is here, and the id of the image that it is of."""

    member: Item
    since: float
    image_id: str


class Stock(Generic[Item]):
    """First in, first out.

    `spare` is how many more members this machine has memory for. Nothing is lacking as long as
    `image_id`, that of the image at present, is empty: there is none, or nobody knows.
    """

    def __init__(self, kind: SandboxKind, bounds: StockBounds) -> None:
        self.kind = kind
        self.backoff = Backoff()
        self.starting = 0
        self.image_id = ""
        self.spare = bounds.cap
        self._bounds = bounds
        self._demand = DemandEstimator()
        self._entries = deque[StockEntry[Item]]()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def target(self) -> int:
        """How many members there should be."""
        estimated = min(self._demand.estimate(time.monotonic()), self._bounds.cap)
        return max(self._bounds.floor, min(estimated, len(self) + self.starting + self.spare))

    @property
    def shortage(self) -> int:
        """How many more should be made now."""
        if not self.image_id or not self.backoff.is_due:
            return 0
        return self.target - len(self) - self.starting

    def put(self, member: Item, image_id: str) -> None:
        """A new member, for which this was the image when its making began."""
        self._entries.append(StockEntry(member, time.monotonic(), image_id))

    def record_demand(self) -> None:
        """One is asked for, whether there is one or not."""
        self._demand.record(time.monotonic())

    def take(self) -> Item | None:
        """The one that has waited longest, which may have died meanwhile; None of none."""
        return self._entries.popleft().member if self._entries else None

    def evict(self) -> list[Item]:
        """Takes out who died, is of another image or has waited too long; and one of too many."""
        retained, evicted = deque[StockEntry[Item]](), list[Item]()
        for entry in self._entries:
            if self._is_fit(entry):
                retained.append(entry)
            else:
                evicted.append(entry.member)
        self._entries = retained
        if len(retained) > self.target:
            evicted.append(retained.popleft().member)
        return evicted

    def close(self) -> list[Item]:
        """Takes out all, and wants no more."""
        self._bounds = StockBounds(0, 0)
        evicted = [entry.member for entry in self._entries]
        self._entries.clear()
        return evicted

    def _is_fit(self, entry: StockEntry[Item]) -> bool:
        is_young = time.monotonic() - entry.since < MAX_AGE_S
        return entry.member.is_alive and entry.image_id == self.image_id and is_young
