"""Single files of the workspace by the paths that callers name, opened part by part."""

import errno
import os
import stat

from sandbox_runner.paths import WORKSPACE

MAX_FILE_BYTES = 64 << 20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
PART = ".mini-agent.part"
# A file that comes in pieces, until it is whole.
UPLOAD_PREFIX = ".mini-agent.upload-"

_KINDS = {
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.ENAMETOOLONG: "refused",
    errno.ENOENT: "missing",
    errno.ENOSPC: "no_space",
    errno.EFBIG: "too_large",
    errno.EISDIR: "not_a_file",
    errno.ENOTDIR: "not_a_file",
    errno.ELOOP: "not_a_file",
    errno.ENXIO: "not_a_file",
}


class WorkspaceError(Exception):
    """Why a call was refused: `kind` for programs, the text for people."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


def error_kind(error: OSError) -> str:
    """The kind of an error that the kernel reported."""
    return _KINDS.get(error.errno or 0, "refused")


def read(path: str, offset: int = 0, length: int = MAX_FILE_BYTES) -> tuple[bytes, os.stat_result]:
    """A piece of a regular file's content, and the file's status."""
    with _Folder(path) as (folder, name):
        # Not blocking: where it is a FIFO, nothing will ever write to it.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with open(file, "rb") as source:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise WorkspaceError("not_a_file", "not a regular file")
            if status.st_size > MAX_FILE_BYTES:
                raise WorkspaceError("too_large", f"more than {MAX_FILE_BYTES} bytes")
            source.seek(offset)
            return source.read(length), status


def write(path: str, content: bytes) -> None:
    """Writes a file, over anything that is there but a folder; all of it or nothing.

    One that is there keeps its permissions, and cannot be written where they deny it.
    """
    with _Folder(path, create=True) as (folder, name):
        mode = _mode_for(name, folder, content)
        _unlink_if_exists(PART, folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            with open(os.open(PART, flags, mode, dir_fd=folder), "wb") as part:
                part.write(content)
                os.fchmod(part.fileno(), mode)
            os.rename(PART, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            _unlink_if_exists(PART, folder)
            raise


def append(path: str, content: bytes, offset: int) -> None:
    """Adds the next piece to a file that is being put together."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | (0 if offset else os.O_CREAT | os.O_EXCL)
    with (
        _Folder(path) as (folder, name),
        open(os.open(name, flags, 0o644, dir_fd=folder), "ab") as part,
    ):
        if part.tell() != offset:
            raise WorkspaceError("refused", "what came before is no longer there")
        part.write(content)


def move(part: str, path: str) -> None:
    """Puts a file that is whole into its place, as `write` does."""
    head, _ = read(part, 0, 2)
    with _Folder(part) as (source, part_name), _Folder(path, create=True) as (folder, name):
        mode = _mode_for(name, folder, head)
        os.chmod(part_name, mode, dir_fd=source)
        os.rename(part_name, name, src_dir_fd=source, dst_dir_fd=folder)


def delete(path: str) -> None:
    """Removes a file, or anything else that is no folder."""
    with _Folder(path) as (folder, name):
        os.unlink(name, dir_fd=folder)


class _Folder:
    """The folder that a path's last part is in, open, and that part."""

    def __init__(self, path: str, *, create: bool = False) -> None:
        *self._folders, self._name = _parts(path)
        self._create = create
        self._at = -1

    def __enter__(self) -> tuple[int, str]:
        self._at = os.open(WORKSPACE, FOLDER)
        for folder in self._folders:
            if self._create:
                _make(folder, self._at)
            below = os.open(folder, FOLDER, dir_fd=self._at)
            os.close(self._at)
            self._at = below
        return self._at, self._name

    def __exit__(self, *_: object) -> None:
        os.close(self._at)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\0" in path:
        raise WorkspaceError("refused", f"{path!r} is not a path in the workspace")
    return parts


def _mode_for(name: str, folder: int, content: bytes) -> int:
    """The permissions of a file to be written: those of a script, if it begins like one."""
    usual = 0o755 if content.startswith(b"#!") else 0o644
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return usual
    if not stat.S_ISREG(there.st_mode):
        return usual
    if not there.st_mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, "it is read-only: make it writable first, or delete it")
    return stat.S_IMODE(there.st_mode) | (usual & 0o111)


def _make(folder: str, at: int) -> None:
    try:
        os.mkdir(folder, 0o755, dir_fd=at)
    except FileExistsError:
        return


def _unlink_if_exists(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
