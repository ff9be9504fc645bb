"""Commands in the background that have ended by themselves, each told of once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mini_agent.coding.tools.shell import Job, Shell


@dataclass
class EndedJobs:
    """Those of `shell`; what the model has stopped itself is no news."""

    shell: Shell
    _told: set[str] = field(default_factory=set)

    def new(self) -> list[Job]:
        """Those that it was not asked about before."""
        ended = [job for job in self.shell.jobs.values() if job.rc is not None]
        new = [job for job in ended if job.id not in self._told and not job.was_stopped]
        self._told.update(job.id for job in ended)
        return new
