"""Walks the workspace without following links."""

import os
import stat
import time
from collections.abc import Callable, Iterator

from sandbox_runner.paths import WORKSPACE

MAX_ENTRIES = 20_000
MAX_WALK_S = 2.0
MAX_PATH_BYTES = 1024

Skip = Callable[[str, str], None]


def walk(skip: Skip) -> Iterator[tuple[str, os.stat_result]]:
    """Yields paths and their status, folders first; `skip` gets what is left out, and why."""
    until = time.monotonic() + MAX_WALK_S
    folders, seen = [""], 0
    while folders:
        folder = folders.pop()
        for name in _names(folder, skip):
            seen += 1
            if seen > MAX_ENTRIES or time.monotonic() > until:
                skip(folder or ".", "too many files to look at")
                return
            path = f"{folder}/{name}" if folder else name
            if len(os.fsencode(path)) > MAX_PATH_BYTES:
                skip(path[:MAX_PATH_BYTES], "its path is too long")
                continue
            status = os.lstat(f"{WORKSPACE}/{path}")
            if stat.S_ISDIR(status.st_mode):
                folders.append(path)
            yield path, status


def is_utf8(path: str) -> bool:
    """Whether a path can be sent as text as it is."""
    return os.fsencode(path) == path.encode(errors="replace")


def _names(folder: str, skip: Skip) -> list[str]:
    try:
        names = os.listdir(f"{WORKSPACE}/{folder}")
    except OSError as refused:
        skip(folder, refused.strerror or "unreadable")
        return []
    return sorted(names)
