"""Tells runs that the tools of a server, which they have listed, are others now."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakSet


@dataclass(slots=True, eq=False, weakref_slot=True)
class ToolChanges:
    """Whether tools have changed since they were last listed."""

    is_pending: bool = False


# INVARIANT: a run lists its tools in its own context, so wrappers of invokers need not know it.
LISTING_RUN: Final[ContextVar[ToolChanges | None]] = ContextVar("listing_run", default=None)


@dataclass(slots=True)
class ChangeListeners:
    """The runs that have listed the tools of one server."""

    _runs: WeakSet[ToolChanges] = field(default_factory=WeakSet)

    def add_run(self) -> None:
        """Remember the run that is listing tools now, if one is."""
        run = LISTING_RUN.get()
        if run is not None:
            self._runs.add(run)

    def report(self) -> None:
        """Have these runs list their tools anew."""
        for run in self._runs:
            run.is_pending = True
