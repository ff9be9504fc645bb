"""Files into the workspace before a snippet, and out of it afterwards."""

import io
import os
import stat
import tarfile

from mini_agent_protocol.order import RunOrder
from sandbox_runner.paths import WORKSPACE
from sandbox_runner.workspace.files import write
from sandbox_runner.workspace.patterns import Pattern
from sandbox_runner.workspace.walk import is_utf8, walk

MAX_SKIPPED = 64
BLOCK = 512


def unpack(archive: bytes) -> None:
    """Puts a snippet's files into the workspace, over whatever an earlier snippet left there."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            source = tar.extractfile(member)
            if source is not None:
                write(member.name, source.read())


class Collection:
    """A tar of the files that come back, and the files that were left behind, a reason each."""

    def __init__(self, order: RunOrder) -> None:
        self.skipped: list[str] = []
        self._order = order
        self._count = self._bytes = 0
        self._buffer = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._buffer, mode="w", format=tarfile.PAX_FORMAT)

    def archive(self) -> bytes:
        """The tar, closed."""
        self._tar.close()
        return self._buffer.getvalue()

    def take(self, path: str, status: os.stat_result) -> None:
        """Adds a file, or notes why it stays behind."""
        reason = self._why_not(path, status) or self._add(path)
        if reason:
            self.skip(path, reason)

    def skip(self, path: str, reason: str) -> None:
        """Notes a file that stays behind; after the first few, only that there were more."""
        shown = os.fsencode(path).decode(errors="backslashreplace")
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(f"{shown}: {reason}")
        elif len(self.skipped) == MAX_SKIPPED:
            self.skipped.append("more files were skipped")

    def _why_not(self, path: str, status: os.stat_result) -> str:
        order = self._order
        reasons = {
            "a symbolic link": stat.S_ISLNK(status.st_mode),
            "not a regular file": not stat.S_ISREG(status.st_mode),
            "its name is not UTF-8": not is_utf8(path),
            "a sparse file": status.st_blocks * BLOCK < status.st_size // 2,
            f"more than {order.artifact_count} files": self._count >= order.artifact_count,
            f"more than {order.artifact_bytes} bytes in all": (
                self._bytes + status.st_size > order.artifact_bytes
            ),
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def _add(self, path: str) -> str:
        try:
            # Nothing can swap the file for a link now: every process of the snippet is dead.
            with open(f"{WORKSPACE}/{path}", "rb") as source:
                content = source.read()
        except OSError as refused:
            return refused.strerror or "unreadable"
        member = tarfile.TarInfo(path)
        member.size = len(content)
        self._tar.addfile(member, io.BytesIO(content))
        self._count += 1
        self._bytes += len(content)
        return ""


def collect(order: RunOrder) -> Collection:
    """The regular files that match the order's patterns, within its count and its bytes."""
    files = Collection(order)
    patterns = [Pattern(text) for text in order.artifacts]
    for path, status in walk(files.skip):
        if stat.S_ISDIR(status.st_mode):
            for pattern in patterns:
                pattern.see_folder(path)
        # All of them see every path, so that each knows whether it found something.
        elif True in [pattern.matches(path) for pattern in patterns]:
            files.take(path, status)
    for pattern in patterns:
        if complaint := pattern.complaint():
            files.skip(pattern.text, complaint)
    return files
