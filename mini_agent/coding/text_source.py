"""Reads small text files that others may have written: regular, in their place, bounded, decoded.

Settings, memory, agents and commands come with a repository. A link in it may lead to a secret, a
device or a pipe, so a file is opened without blocking and checked once it is open.
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.coding.tools.text_file import detect_bom, is_folder, real_path

MAX_BYTES: Final = 1 << 20
SNIFFED_BYTES: Final = 8192
OPEN_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW


class FileRefused(Exception):
    """A file that is not read; the message says why, without its path."""


class NotRegular(FileRefused):
    """A folder, a pipe or a device: it holds no text."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of a file without its byte order mark; `size` and `read` are bytes."""

    text: str
    size: int
    read: int

    @property
    def is_cut(self) -> bool:
        """Tell whether the file is longer than what was read."""
        return self.size > self.read


def find_root(folder: Path) -> Path:
    """Return the git root that holds `folder`, links resolved; without one the folder itself.

    A repository in the home folder or above, such as one of dotfiles, is the root of nothing else.
    """
    real, home = real_path(folder), real_path(Path.home())
    above = (each for each in real.parents if not home.is_relative_to(each))
    return next((each for each in (real, *above) if os.path.lexists(each / ".git")), real)


def read_source(path: Path, roots: Iterable[Path] | None, max_bytes: int = MAX_BYTES) -> SourceText:
    """Read at most `max_bytes` of a regular file, which lies in one of `roots`; None: anywhere.

    Raises `FileNotFoundError` for a missing file and `FileRefused` for all else.
    """
    content, size = read_bytes(path, roots, max_bytes)
    return SourceText(decode_source(content), size, len(content))


def read_bytes(path: Path, roots: Iterable[Path] | None, max_bytes: int) -> tuple[bytes, int]:
    """Read as `read_source` does; return the bytes and the size of the file."""
    real = real_path(path)
    if roots is not None and not any(real.is_relative_to(root) for root in roots):
        raise FileRefused(f"it leads to {real}, outside the project")
    try:
        return _read_regular(real, max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(str(path)) from None
    except (OSError, ValueError) as error:
        raise FileRefused(f"it cannot be read: {_describe(error)}") from None


def decode_source(content: bytes) -> str:
    """Decode by the byte order mark, else as UTF-8 or, where it is none, as Windows-1252.

    An incomplete last character, as of a cut file, is left out. Raises `FileRefused` for binary.
    """
    mark, encoding = detect_bom(content)
    if mark:
        return codecs.getincrementaldecoder(encoding)("replace").decode(content[len(mark) :])
    if b"\0" in content[:SNIFFED_BYTES]:
        raise FileRefused("it is not a text file")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _read_regular(real: Path, max_bytes: int) -> tuple[bytes, int]:
    descriptor = os.open(real, OPEN_FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise NotRegular(f"it is {kind}")
        content = file.read(max_bytes)
        # Files of /proc and /sys have the size 0.
        more = len(file.read(1))
        return content, max(status.st_size, len(content) + more)


def _describe(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def list_files(folder: Path, suffix: str, max_files: int, depth: int = 4) -> list[Path]:
    """List files below `folder` by name, up to `depth` folders deep; links to folders are left out.

    One more than `max_files` are returned where there are more.
    """
    found: list[Path] = []
    _collect(folder, suffix, max_files + 1, depth, found)
    return found


def _collect(folder: Path, suffix: str, limit: int, depth: int, found: list[Path]) -> None:
    try:
        with os.scandir(folder) as scanned:
            entries = sorted(_take(scanned, limit * 4), key=lambda each: each.name)
    except OSError:
        return
    for entry in entries:
        if len(found) >= limit:
            return
        if entry.name.endswith(suffix) and not is_folder(Path(entry.path)):
            found.append(Path(entry.path))
        elif depth > 1 and entry.is_dir(follow_symlinks=False):
            _collect(Path(entry.path), suffix, limit, depth - 1, found)


def _take(entries: Iterable[os.DirEntry[str]], limit: int) -> list[os.DirEntry[str]]:
    return [entry for entry, _ in zip(entries, range(limit), strict=False)]
