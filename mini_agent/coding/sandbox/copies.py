"""The copies of a project in the sandbox, one for each image, kept in step with the host."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from mini_agent.coding.sandbox.entries import Entry, EntryFacts, Report
from mini_agent.coding.sandbox.mirror import Mirror
from mini_agent.coding.sandbox.project import FileStamp, Project, Snapshot
from mini_agent.coding.settings import SandboxSettings
from mini_agent.errors import BadRequest, MiniAgentError
from mini_agent.sandbox.client import SidecarClient
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits

# What a sandbox sets aside for /tmp and /dev/shm.
RESERVED_MB: Final = 80
MAX_PIDS: Final = 512
# The copy, its bundles and what commands make have to fit.
ROOM: Final = 0.6


@dataclass(slots=True)
class Copy:
    """One copy; `known` is the stamp with which each path was brought there.

    `stale` are paths that hold something else there and are to be written again. `has_run` says
    that a command may have changed it since the last report, `is_written` that it is one at all.
    `remarks` are for the next call.
    """

    mirror: Mirror
    known: dict[str, FileStamp | int] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    has_run: bool = False
    is_written: bool = False
    remarks: list[str] = field(default_factory=list)


@dataclass
class ProjectCopies:
    """Opens a copy for an image when it is first needed.

    `pending` are changes that are not applied to the project; every copy has them.
    `pending_stamps` say how their paths were in the project when they were copied.
    """

    project: Project
    client: SidecarClient
    settings: SandboxSettings
    pending: dict[str, Entry] = field(default_factory=dict)
    pending_stamps: dict[str, FileStamp | None] = field(default_factory=dict)
    _pending_numbers: dict[str, int] = field(default_factory=dict)
    _count: int = 0
    _copies: dict[Language, Copy] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """The limits of every sandbox."""
        workspace_mb = self.settings.workspace_mb
        memory_mb = self.settings.memory_mb or workspace_mb + RESERVED_MB + 1024
        return Limits(workspace_mb=workspace_mb, memory_mb=memory_mb, pids=MAX_PIDS)

    async def open(self, toolchain: Language) -> Copy:
        """Return the copy whose commands run in this image, opened if there is none."""
        if toolchain not in self._copies:
            mirror = await Mirror.open(self.client, toolchain, self.limits)
            self._copies[toolchain] = Copy(mirror)
        return self._copies[toolchain]

    async def synchronize(self, copy: Copy) -> None:
        """Bring into the copy what has changed in the project, and what is pending."""
        wanted = await asyncio.to_thread(self._wanted, copy)
        changed = [
            path
            for path, stamp in wanted.items()
            if path in copy.stale or copy.known.get(path) != stamp
        ]
        gone = [path for path in {*copy.known, *copy.stale} if path not in wanted]
        if changed or gone or not copy.is_written:
            await copy.mirror.write(self._read(wanted, gone, changed))
            copy.is_written = True
        copy.known, copy.stale = dict(wanted), set()

    async def run(
        self,
        copy: Copy,
        command: str,
        folder: str,
        timeout_s: float,
        listener: Callable[[Output], None],
    ) -> Execution:
        """Run a command in the copy."""
        copy.has_run = True
        return await copy.mirror.run(command, folder, timeout_s, listener)

    async def report(self, copy: Copy) -> Report:
        """Report what the commands have changed there."""
        report = await copy.mirror.report()
        copy.has_run = False
        return report

    def keep_pending(
        self, copy: Copy, entries: list[Entry], stamps: dict[str, FileStamp | None]
    ) -> None:
        """Note that the entries are in the copy and not in the project."""
        self._count += 1
        self.pending_stamps.update(stamps)
        for entry in entries:
            self.pending[entry.path] = entry
            self._pending_numbers[entry.path] = copy.known[entry.path] = self._count

    def settle(self, copy: Copy, path: str, *, is_in_project: bool) -> None:
        """Note that project and copy hold the same there, or that the copy's is given up."""
        self.pending.pop(path, None)
        self.pending_stamps.pop(path, None)
        self._pending_numbers.pop(path, None)
        stamp = self.project.stamp(path)
        if not is_in_project:
            copy.stale.add(path)
        elif stamp is None:
            copy.known.pop(path, None)
        else:
            copy.known[path] = stamp

    async def drop(self, copy: Copy) -> None:
        """Give a copy up, for one that is lost or whose state is not known."""
        self._copies.pop(copy.mirror.toolchain, None)
        with contextlib.suppress(MiniAgentError):
            await copy.mirror.aclose()

    async def aclose(self) -> None:
        """Close all sessions."""
        for copy in tuple(self._copies.values()):
            await self.drop(copy)

    def _wanted(self, copy: Copy) -> dict[str, FileStamp | int]:
        snapshot = self.project.snapshot(with_git=copy.mirror.has_git)
        self._require_room(snapshot)
        gone = {path for path, entry in self.pending.items() if entry.kind == "gone"}
        wanted: dict[str, FileStamp | int] = {**snapshot, **self._pending_numbers}
        return {path: stamp for path, stamp in wanted.items() if path not in gone}

    def _require_room(self, snapshot: Snapshot) -> None:
        size_mb = sum(stamp.size for stamp in snapshot.values()) >> 20
        if size_mb > self.settings.workspace_mb * ROOM:
            raise BadRequest(
                f"the project's {len(snapshot)} files have {size_mb} MB, and a sandbox of "
                f"{self.settings.workspace_mb} MB has no room for them and for what commands make",
                field="sandbox.workspaceMb",
                hint='set "sandbox": {"workspaceMb": N} in settings.json, at most 4096, or leave '
                "folders out with .gitignore or permissions.deny Read(FOLDER/**)",
            )

    def _read(
        self, wanted: dict[str, FileStamp | int], gone: list[str], changed: list[str]
    ) -> Iterator[Entry]:
        for path in gone:
            yield Entry(EntryFacts(path, "gone"))
        for path in changed:
            entry = self.pending.get(path) or self.project.read(path)
            if entry.kind == "gone":
                # It cannot be read: what a command puts there must not replace it.
                wanted.pop(path)
            yield entry


@asynccontextmanager
async def open_copies(
    project: Project, client: SidecarClient, settings: SandboxSettings, toolchain: Language
) -> AsyncIterator[ProjectCopies]:
    """Open the first session at once, so that a sidecar that is away is known at the start."""
    copies = ProjectCopies(project, client, settings)
    try:
        await copies.open(toolchain)
        yield copies
    finally:
        await copies.aclose()
