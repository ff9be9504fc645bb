"""A stock: the warm sandboxes of one kind, with the estimate of demand that sets its size."""

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
MIN_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 30.0
QUIET_S: Final = 0.03
MAX_QUIET_WAIT_S: Final = 0.5
MAX_AGE_S: Final = 900.0


class DemandEstimator:
    """The peak number of leases within BURST_S; it halves every HALF_LIFE_S.

    Times are seconds of a monotonic clock.
    """

    def __init__(self) -> None:
        self._recent = deque[float]()
        self._peak = 0.0
        self._peak_at = 0.0

    def record(self, now: float) -> None:
        """Count one request for a lease."""
        self._recent.append(now)
        while self._recent[0] <= now - BURST_S:
            self._recent.popleft()
        self._peak, self._peak_at = max(self._decayed_peak(now), float(len(self._recent))), now

    def estimate(self, now: float) -> int:
        """Return how many leases to expect in the next burst."""
        # Rounded half down, or every kind would keep one member for ever.
        return math.ceil(self._decayed_peak(now) - 0.5)

    def _decayed_peak(self, now: float) -> float:
        return float(self._peak * 0.5 ** ((now - self._peak_at) / HALF_LIFE_S))


class Backoff:
    """When to try again what has failed: exponential, with jitter."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    @property
    def is_due(self) -> bool:
        """Whether to try now."""
        return time.monotonic() >= self._until

    def record_failure(self) -> float:
        """Count a failure; returns the seconds until the next attempt."""
        pause_s = min(MAX_BACKOFF_S, MIN_BACKOFF_S * 2.0 ** min(self._failures, 16))
        pause_s *= 0.5 + random.random() / 2  # noqa: S311 - it only spreads the attempts
        self._failures += 1
        self._until = time.monotonic() + pause_s
        return pause_s

    def reset(self) -> None:
        """Forget the failures."""
        self._failures, self._until = 0, 0.0


class LeaseActivity:
    """Tells when leases are quiet, as starting or removing a sandbox takes all cores."""

    def __init__(self) -> None:
        self._last = 0.0

    def record(self) -> None:
        """Note that a lease begins or ends now."""
        self._last = time.monotonic()

    async def wait_until_quiet(self) -> None:
        """Return after QUIET_S without a lease, or after MAX_QUIET_WAIT_S at the latest."""
        deadline = time.monotonic() + MAX_QUIET_WAIT_S
        while self._last + QUIET_S > (now := time.monotonic()) and now < deadline:  # noqa: ASYNC110
            await asyncio.sleep(QUIET_S)


class Member(Protocol):
    """A sandbox in the stock."""

    @property
    def is_alive(self) -> bool:
        """Whether its stream is open."""
        ...


Item = TypeVar("Item", bound=Member)


@dataclass(frozen=True, slots=True)
class StockBounds:
    """The size without demand, and the maximum."""

    floor: int
    cap: int


@dataclass(frozen=True, slots=True)
class StockEntry(Generic[Item]):
    """A member, when it was added, and the id of its image."""

    member: Item
    since: float
    image_id: str


class Stock(Generic[Item]):
    """First in, first out.

    `spare`: how many more members fit in this machine's memory. Nothing is short as long as
    `image_id`, the id of the image at present, is empty: the image is missing or unknown.
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
        """How many more to start now."""
        if not self.image_id or not self.backoff.is_due:
            return 0
        return self.target - len(self) - self.starting

    def put(self, member: Item, image_id: str) -> None:
        """Add a member; `image_id` was the image's id when its start began."""
        self._entries.append(StockEntry(member, time.monotonic(), image_id))

    def record_demand(self) -> None:
        """Count a lease of this kind, whether there is a member or not."""
        self._demand.record(time.monotonic())

    def take(self) -> Item | None:
        """Take the oldest member, which may have died meanwhile; None where there is none."""
        return self._entries.popleft().member if self._entries else None

    def evict(self) -> list[Item]:
        """Take out members that died, are too old or of another image; and one above the target."""
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
        """Take out all members, and want no more."""
        self._bounds = StockBounds(0, 0)
        evicted = [entry.member for entry in self._entries]
        self._entries.clear()
        return evicted

    def _is_fit(self, entry: StockEntry[Item]) -> bool:
        is_young = time.monotonic() - entry.since < MAX_AGE_S
        return entry.member.is_alive and entry.image_id == self.image_id and is_young
