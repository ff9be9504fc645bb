"""What a service holds: memory, files and threads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ESTABLISHED: Final = "01"


@dataclass(frozen=True, slots=True)
class Footprint:
    """`files` are without the connections that clients hold open at the time."""

    mib: float
    files: int
    threads: int

    def more_than(self, other: Footprint) -> Footprint:
        """What there is beyond the other."""
        return Footprint(
            self.mib - other.mib, self.files - other.files, self.threads - other.threads
        )


def footprint_of(pid: int, port: int) -> Footprint:
    """What the process that listens on `port` holds now."""
    process = Path(f"/proc/{pid}")
    status = (process / "status").read_text()
    numbers = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE))
    files = len(list((process / "fd").iterdir())) - _held_by_clients(process, port)
    return Footprint(int(numbers["VmRSS"]) / 1024, files, int(numbers["Threads"]))


def _held_by_clients(process: Path, port: int) -> int:
    rows = [row.split() for row in (process / "net/tcp").read_text().splitlines()[1:]]
    ours = f":{port:04X}"
    return sum(row[1].endswith(ours) and row[3] == ESTABLISHED for row in rows)
