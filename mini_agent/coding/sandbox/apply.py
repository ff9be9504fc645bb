"""Writes changes of the sandbox to the project: inside it, through no link, over nothing newer."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

from mini_agent.coding.sandbox.entries import Entry, is_safe_path
from mini_agent.coding.sandbox.project import GIT_FOLDER, FileStamp

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
IN_PLACE: Final = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MODE_BITS: Final = 0o777

# The stamp of a path as it was copied; None where nothing was there.
Expected: TypeAlias = Callable[[str], FileStamp | None]


def find_flaw(entry: Entry) -> str:
    """Return why the entry is never written to a project, else ""."""
    parts = entry.path.split("/")
    if not is_safe_path(entry.path):
        return "no path in the project"
    if any(part.lower() == GIT_FOLDER for part in parts):
        return "a repository's own folder"
    if entry.kind == "other":
        return "neither file, folder nor link"
    if entry.kind == "link" and not _stays_inside(entry.path, entry.facts.target):
        return "a link that leads out of the project"
    return ""


def apply_entries(
    root: Path, entries: Iterable[Entry], expected: Expected
) -> Iterator[tuple[Entry, str]]:
    """Write the entries; yield each with why it was not written, or ""."""
    for entry in sorted(entries, key=_order):
        flaw = find_flaw(entry)
        try:
            yield entry, flaw or _apply(root, entry, expected(entry.path))
        except OSError as error:
            yield entry, error.strerror or str(error)


def _order(entry: Entry) -> tuple[bool, int, str]:
    """Sort what goes before what comes, and files in a folder before the folder that goes."""
    comes = entry.kind != "gone"
    return (comes, 0 if comes else -entry.path.count("/"), entry.path)


def _apply(root: Path, entry: Entry, expected: FileStamp | None) -> str:
    with _open_parent(root, entry.path, create=entry.kind != "gone") as (folder, name):
        status = _status(name, folder)
        now = FileStamp.from_status(status) if status is not None else None
        if now != expected:
            return "changed in the project meanwhile"
        if entry.kind == "gone":
            _remove(name, folder, now)
        elif entry.kind == "folder":
            _make_folder(name, folder, now)
        else:
            _put(name, folder, entry, status)
    return ""


@contextmanager
def _open_parent(root: Path, path: str, *, create: bool) -> Iterator[tuple[int, str]]:
    """Open the folder that the path is in, part by part, and yield it with the last part."""
    *folders, name = PurePosixPath(path).parts
    at = os.open(root, FOLDER)
    try:
        for part in folders:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=at)
            below = os.open(part, FOLDER, dir_fd=at)
            os.close(at)
            at = below
        yield at, name
    finally:
        os.close(at)


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _remove(name: str, folder: int, now: FileStamp | None) -> None:
    if now is None:
        return
    if now.kind != "folder":
        os.unlink(name, dir_fd=folder)
        return
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        # It holds files that were never copied; they stay.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _make_folder(name: str, folder: int, now: FileStamp | None) -> None:
    if now is not None and now.kind == "folder":
        return
    if now is not None:
        os.unlink(name, dir_fd=folder)
    os.mkdir(name, dir_fd=folder)


def _put(name: str, folder: int, entry: Entry, status: os.stat_result | None) -> None:
    if status is not None and stat.S_ISDIR(status.st_mode):
        os.rmdir(name, dir_fd=folder)
        status = None
    # Another name of the same file has to see the change as well.
    if entry.kind == "file" and status is not None and _is_shared(status):
        _write(os.open(name, IN_PLACE, dir_fd=folder), entry, status, truncate=True)
        return
    beside = f".{name[:80]}.{secrets.token_hex(6)}"
    try:
        if entry.kind == "link":
            os.symlink(entry.facts.target, beside, dir_fd=folder)
        else:
            # A new file gets the usual mode; a copy is private until it has that of the old file.
            usual = 0o777 if entry.facts.is_executable else 0o666
            mode = usual if status is None else 0o600
            _write(os.open(beside, NEW_FILE, mode, dir_fd=folder), entry, status)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(beside, dir_fd=folder)
        raise


def _is_shared(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_nlink > 1


def _write(
    descriptor: int, entry: Entry, status: os.stat_result | None, *, truncate: bool = False
) -> None:
    with open(descriptor, "wb") as file:
        if truncate:
            os.ftruncate(descriptor, 0)
        file.write(entry.content)
        file.flush()
        if status is not None:
            os.fchmod(descriptor, _select_mode(entry, status))


def _select_mode(entry: Entry, status: os.stat_result) -> int:
    """Return the mode that was there; of the sandbox's, the bit to execute counts alone."""
    mode = status.st_mode & MODE_BITS if stat.S_ISREG(status.st_mode) else 0o644
    # Who may read it may start it.
    return mode | (mode & 0o444) >> 2 if entry.facts.is_executable else mode & ~0o111


def _stays_inside(path: str, target: str) -> bool:
    parts = target.split("/")
    depth = path.count("/")
    leading = next((n for n, part in enumerate(parts) if part != ".."), len(parts))
    # Only leading dots are safe: what is behind a name may be a link itself.
    return (
        bool(target)
        and not target.startswith("/")
        and leading <= depth
        and (".." not in parts[leading:] and "\0" not in target)
    )
