"""A file written in one step: whoever reads it finds the old content or the new one."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from mini_agent.coding.tools.real_path import real_path

# No other file can take its place: the folder is not ours, or the file is a mount of its own.
ONLY_IN_PLACE: Final = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV)


def write_file(path: Path, content: bytes) -> None:
    """Puts `content` there; links are followed, and who may do what with the file stays."""
    real = real_path(path)
    real.parent.mkdir(parents=True, exist_ok=True)
    if real.exists() and not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, "it must not be written to", str(path))
    try:
        _replace(real, content)
    except OSError as broken:
        if broken.errno not in ONLY_IN_PLACE or not real.exists():
            raise OSError(broken.errno, broken.strerror, str(path)) from None
        real.write_bytes(content)


def _replace(real: Path, content: bytes) -> None:
    is_new = not real.exists()
    beside = real.with_name(f".{real.name[:80]}.{secrets.token_hex(6)}")
    # A new file gets the mode that any program would give it here; a copy is nobody else's yet.
    mode = 0o666 if is_new else 0o600
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not is_new:
            _dress(beside, real)
        beside.replace(real)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _dress(new: Path, old: Path) -> None:
    """Gives the new file the mode, the attributes and the owner of the old one."""
    status = old.stat()
    with suppress(PermissionError):
        os.chown(new, status.st_uid, status.st_gid)
    shutil.copystat(old, new)
    os.utime(new)
