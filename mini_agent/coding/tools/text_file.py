"""Text files with their encoding, byte order mark and line ends; atomic writes; real paths."""

from __future__ import annotations

import codecs
import errno
import os
import secrets
import shutil
import stat
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from mini_agent.tools.arguments import RejectedCall

# The file cannot be replaced: the folder is not writable, or the file is a mount.
IN_PLACE_ERRORS: Final = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV)
MAX_BYTES: Final = 64 << 20
SNIFFED_BYTES: Final = 8192
BYTE_ORDER_MARK: Final = "\ufeff"
# Longer marks first: the mark of UTF-32 begins with that of UTF-16.
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Latin-1 decodes every byte, so it is last.
EIGHT_BIT_ENCODINGS: Final = ("utf-8", "cp1252", "latin-1")


def real_path(path: Path) -> Path:
    """Return the path with links resolved; of a loop of links, as far as they lead.

    `Path.resolve` raises `RuntimeError` for such a loop.
    """
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; False, not an error, where access is denied."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Return whether there is a file; False, not an error, where access is denied."""
    return os.path.isfile(path)  # noqa: PTH113


def write_file(path: Path, content: bytes) -> None:
    """Write the content through links; mode, owner and further names of the file stay.

    In one step, unless the file has several names, or an owner that a new file could not have:
    then what is there is overwritten.
    """
    real = real_path(path)
    real.parent.mkdir(parents=True, exist_ok=True)
    if real.exists() and not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, "it must not be written to", str(path))
    try:
        if _must_keep_inode(real):
            _overwrite(real, content)
        else:
            _replace(real, content)
    except OSError as error:
        if error.errno not in IN_PLACE_ERRORS or not real.exists():
            raise OSError(error.errno, error.strerror, str(path)) from None
        _overwrite(real, content)


@dataclass(frozen=True, slots=True)
class TextFile:
    """The content of a file; `text` has its line ends as they are in the file."""

    text: str = ""
    encoding: str = "utf-8"
    bom: bytes = b""

    @property
    def normalized(self) -> str:
        """Return the text with line feeds only."""
        return self.text.replace("\r\n", "\n")

    @property
    def has_crlf(self) -> bool:
        """Return whether most lines end with carriage return and line feed."""
        return self.text.count("\r\n") * 2 > self.text.count("\n")

    def with_text(self, text: str) -> TextFile:
        """Return the same kind of file with another text."""
        return replace(self, text=text)

    def encode(self) -> bytes:
        """Return the encoded bytes; raise `RejectedCall` for a character the encoding lacks."""
        try:
            return self.bom + self.text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise RejectedCall(
                f"Error: the file is written in {self.encoding}, which has no {character!a}."
            ) from None


def read_text_file(path: Path) -> TextFile:
    """Read a whole file; raise `RejectedCall` if it is not text or too large to edit."""
    size = require_regular(path)
    if size > MAX_BYTES:
        raise RejectedCall(
            f"Error: {path} has {size >> 20} MB; at most {MAX_BYTES >> 20} can be edited."
        )
    return decode_text(path.read_bytes(), path)


def decode_text(content: bytes, path: Path) -> TextFile:
    """Decode `content` by its mark, or by trial; `path` is for the error message."""
    mark, encoding = detect_bom(content)
    if not mark and b"\0" in content[:SNIFFED_BYTES]:
        raise RejectedCall(f"Error: {path} is not a text file.")
    body = content[len(mark) :]
    for name in (encoding,) if mark else EIGHT_BIT_ENCODINGS:
        try:
            return TextFile(body.decode(name), name, mark)
        except UnicodeDecodeError:
            continue
    raise RejectedCall(f"Error: {path} begins as {encoding} but is not.")


def detect_bom(content: bytes) -> tuple[bytes, str]:
    """Return the byte order mark and its encoding; (b"", "utf-8") without a mark."""
    return next(
        ((mark, name) for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)),
        (b"", "utf-8"),
    )


def require_regular(path: Path) -> int:
    """Return the size of a regular file; raise `RejectedCall` for others: a pipe would block."""
    kind = path.stat()
    if stat.S_ISDIR(kind.st_mode):
        raise RejectedCall(f"Error: {path} is a folder. Use the LS tool for it.")
    if not stat.S_ISREG(kind.st_mode):
        raise RejectedCall(f"Error: {path} is not a regular file.")
    return kind.st_size


def _must_keep_inode(real: Path) -> bool:
    if not real.exists():
        return False
    status = real.stat()
    has_own_owner = status.st_uid == os.geteuid() and status.st_gid in (
        os.getegid(),
        *os.getgroups(),
    )
    return status.st_nlink > 1 or not (has_own_owner or os.geteuid() == 0)


def _overwrite(real: Path, content: bytes) -> None:
    """Write into the file as it is; where that fails, put its old content back."""
    old = real.read_bytes()
    with real.open("r+b") as file:
        try:
            _write_all(file, content)
        except OSError:
            _write_all(file, old)
            raise


def _write_all(file: BinaryIO, content: bytes) -> None:
    file.seek(0)
    file.write(content)
    file.truncate()
    file.flush()
    os.fsync(file.fileno())


def _replace(real: Path, content: bytes) -> None:
    is_new = not real.exists()
    beside = real.with_name(f".{real.name[:80]}.{secrets.token_hex(6)}")
    # A new file gets the usual mode; a copy is private until it has the mode of the old file.
    mode = 0o666 if is_new else 0o600
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with ExitStack() as undo:
        undo.callback(beside.unlink, missing_ok=True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not is_new:
            _copy_metadata(beside, real)
        beside.replace(real)
        undo.pop_all()


def _copy_metadata(new: Path, old: Path) -> None:
    """Give the new file the mode, the attributes and the owner of the old one."""
    status = old.stat()
    with suppress(PermissionError):
        os.chown(new, status.st_uid, status.st_gid)
    shutil.copystat(old, new)
    os.utime(new)
