"""The changes of one command: which come back, which conflict, and what the model is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mini_agent.coding.sandbox.copies import Copy, ProjectCopies
from mini_agent.coding.sandbox.entries import Entry, EntryFacts, is_safe_path
from mini_agent.coding.sandbox.patch import FileChange, quote_path
from mini_agent.coding.sandbox.project import FileStamp
from mini_agent.coding.sandbox.review import ChangeReview, Outcome

MAX_CHANGED_FILES: Final = 2000
MAX_CHANGED_BYTES: Final = 64 << 20
MAX_NAMES: Final = 10
UNDECIDED: Final = (
    "what the command before this one changed was not applied, and is undone in the sandbox"
)


@dataclass(slots=True)
class ChangeSet:
    """Brings the changes of one command back."""

    copies: ProjectCopies
    copy: Copy
    review: ChangeReview | None
    remarks: list[str] = field(default_factory=list)

    async def take(self, reported: Sequence[EntryFacts]) -> list[str]:
        """Return what the model has to know about them."""
        wanted = self._select(reported, await asyncio.to_thread(self._find_ignored, reported))
        try:
            return await self._take(wanted)
        except BaseException:
            # The user has stopped the turn at the question, say: nothing is applied then.
            self.copy.stale.update(each.path for each in wanted)
            self.copy.remarks.append(UNDECIDED)
            raise

    async def _take(self, wanted: Sequence[EntryFacts]) -> list[str]:
        entries = await self.copy.mirror.take(wanted)
        changes = [await asyncio.to_thread(self._compare, entry) for entry in entries]
        same, changes = _partition(changes)
        for change in same:
            self.copies.settle(self.copy, change.path, is_in_project=True)
        changes = self._leave_conflicts(changes)
        if changes:
            await self._decide(changes)
        return self.remarks

    def _find_ignored(self, reported: Sequence[EntryFacts]) -> frozenset[str]:
        known = self.copy.known
        new = [each.path for each in reported if each.path not in known and is_safe_path(each.path)]
        return self.copies.project.find_ignored(new)

    def _select(self, reported: Sequence[EntryFacts], ignored: frozenset[str]) -> list[EntryFacts]:
        """Return what is to come back; what is too much or too large stays in the sandbox."""
        wanted: list[EntryFacts] = []
        left, room = list[str](), MAX_CHANGED_BYTES
        full = {each.path for each in reported if each.kind not in ("folder", "gone")}
        parents = {parent for path in full for parent in _parents(path)}
        for each in reported:
            if each.path in ignored or (each.kind == "folder" and each.path in parents):
                continue
            if each.size > room or len(wanted) >= MAX_CHANGED_FILES:
                left.append(each.path)
                continue
            room -= each.size
            wanted.append(each)
        if left:
            self.remarks.append(
                f"{_format_names(left)} changed too, and more than {MAX_CHANGED_FILES} files or "
                f"{MAX_CHANGED_BYTES >> 20} MB are not brought back: they are in the sandbox alone"
            )
        return wanted

    def _compare(self, entry: Entry) -> FileChange:
        if not is_safe_path(entry.path):
            return FileChange(Entry(EntryFacts(entry.path, "gone")), entry)
        return FileChange(self.copies.project.read(entry.path), entry)

    def _expected(self, path: str) -> FileStamp | None:
        """Return how the path was on the host when it was copied."""
        known = self.copy.known.get(path)
        if isinstance(known, FileStamp):
            return known
        if known is not None:
            return self.copies.pending_stamps[path]
        # Folders are not copied by themselves.
        now = self.copies.project.stamp(path) if is_safe_path(path) else None
        return now if now is not None and now.kind == "folder" else None

    def _leave_conflicts(self, changes: list[FileChange]) -> list[FileChange]:
        conflicts = [
            change
            for change in changes
            if is_safe_path(change.path)
            and self.copies.project.stamp(change.path) != self._expected(change.path)
        ]
        if conflicts:
            kept = _describe_patch(self.review.keep(conflicts) if self.review else None)
            names = _format_names([change.path for change in conflicts])
            self._say(f"{names} changed in the project as well, which was not overwritten{kept}")
        for change in conflicts:
            self.copies.settle(self.copy, change.path, is_in_project=False)
        paths = {change.path for change in conflicts}
        return [change for change in changes if change.path not in paths]

    async def _decide(self, changes: list[FileChange]) -> None:
        outcome = Outcome(pending=tuple(change.after for change in changes))
        if self.review is not None:
            root = self.copies.project.root
            outcome = await self.review.review(root, changes, self._expected)
        for path in outcome.applied:
            self.copies.settle(self.copy, path, is_in_project=True)
        for path, _ in outcome.refused:
            self.copies.settle(self.copy, path, is_in_project=False)
        stamps = {entry.path: self._expected(entry.path) for entry in outcome.pending}
        self.copies.keep_pending(self.copy, list(outcome.pending), stamps)
        self._describe(outcome)

    def _describe(self, outcome: Outcome) -> None:
        if outcome.applied:
            self.remarks.append(f"applied to the project: {_format_names(outcome.applied)}")
        reasons: dict[str, list[str]] = {}
        for path, why in outcome.refused:
            reasons.setdefault(why, []).append(path)
        for why, paths in reasons.items():
            self._say(f"not applied to the project: {_format_names(paths)}: {why}")
        if outcome.pending:
            waiting = [self._compare(entry) for entry in self.copies.pending.values()]
            names = _format_names([entry.path for entry in outcome.pending])
            patch = _describe_patch(self.review.keep_pending(waiting) if self.review else None)
            self._say(
                f"changed in the sandbox alone: {names}. Nobody was there to approve it{patch}"
            )

    def _say(self, remark: str) -> None:
        """Tell the model and the user."""
        self.remarks.append(remark)
        if self.review is not None:
            self.review.warn(remark)


def _describe_patch(path: Path | None) -> str:
    return f"; `git apply {path}` applies it" if path else ""


def _partition(changes: Sequence[FileChange]) -> tuple[list[FileChange], list[FileChange]]:
    same = [change for change in changes if change.is_none]
    return same, [change for change in changes if not change.is_none]


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _format_names(paths: Sequence[str]) -> str:
    more = len(paths) - MAX_NAMES
    names = ", ".join(map(quote_path, paths[:MAX_NAMES]))
    return f"{names} and {more} more" if more > 0 else names
