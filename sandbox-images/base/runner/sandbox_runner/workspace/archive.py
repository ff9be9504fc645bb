"""The whole workspace as a tar, which moves it to another sandbox of the session."""

import io
import os
import stat
import tarfile
from collections.abc import Iterator

from mini_agent_protocol.frames import MAX_WORKSPACE_FRAME_BYTES
from sandbox_runner.paths import WORKSPACE
from sandbox_runner.stream import CHUNK_BYTES, Stream
from sandbox_runner.workspace.files import WorkspaceError
from sandbox_runner.workspace.walk import walk

MARGIN_BYTES = 1 << 20
END = bytes(2 * tarfile.BLOCKSIZE)


class FrameBody(io.RawIOBase):
    """A frame's body to read as a file, so that it is never whole in memory."""

    def __init__(self, stream: Stream, length: int) -> None:
        self._stream, self._left = stream, length

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills the buffer, but for the last one."""
        view = memoryview(buffer)
        size = self._take(len(view))
        view[:size] = self._stream.exactly(size)
        return size

    def read_all(self, limit: int) -> bytes:
        """All of it; `WorkspaceError` where that is too much."""
        if self._left > limit:
            raise WorkspaceError("too_large", f"more than {limit} bytes")
        return self._stream.exactly(self._take(self._left))

    def drain(self) -> None:
        """Reads what is left."""
        while self.read(CHUNK_BYTES):
            pass

    def _take(self, size: int) -> int:
        size = min(size, self._left)
        self._left -= size
        return size


def unpack(body: FrameBody) -> None:
    """Puts the files, folders and links of a tar into the workspace."""
    try:
        with tarfile.open(fileobj=body, mode="r|") as tar:
            tar.extractall(WORKSPACE, filter=_filter_member)  # noqa: S202 - the filter is tarfile's own
    except (tarfile.TarError, EOFError, ValueError) as odd:
        raise WorkspaceError("refused", f"not an archive that can be unpacked: {odd}") from odd


def export_workspace() -> tuple[int, Iterator[bytes]]:
    """The length of the workspace's tar, and its pieces; `WorkspaceError` where it is too long."""
    heads = [(member.tobuf(tarfile.PAX_FORMAT), path, member.size) for path, member in _members()]
    length = sum(len(head) + _padded(size) for head, _, size in heads) + len(END)
    if length + MARGIN_BYTES > MAX_WORKSPACE_FRAME_BYTES:
        raise WorkspaceError(
            "too_large",
            f"the workspace holds more than {MAX_WORKSPACE_FRAME_BYTES - MARGIN_BYTES} bytes",
        )
    return length, _pieces(heads)


def _filter_member(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _members() -> Iterator[tuple[str, tarfile.TarInfo]]:
    for path, status in walk(lambda _path, _why: None):
        member = tarfile.TarInfo(path)
        member.mode, member.mtime = stat.S_IMODE(status.st_mode), status.st_mtime
        if stat.S_ISDIR(status.st_mode):
            member.type = tarfile.DIRTYPE
            yield path, member
        elif stat.S_ISREG(status.st_mode) and os.access(f"{WORKSPACE}/{path}", os.R_OK):
            member.size = status.st_size
            yield path, member
        elif stat.S_ISLNK(status.st_mode) and _links_inside(path):
            member.type, member.linkname = tarfile.SYMTYPE, os.readlink(f"{WORKSPACE}/{path}")
            yield path, member


def _links_inside(path: str) -> bool:
    full = f"{WORKSPACE}/{path}"
    return os.readlink(full)[0] != "/" and os.path.realpath(full).startswith(f"{WORKSPACE}/")


def _pieces(heads: list[tuple[bytes, str, int]]) -> Iterator[bytes]:
    for head, path, size in heads:
        yield head
        if size:
            with open(f"{WORKSPACE}/{path}", "rb") as source:
                while piece := source.read(CHUNK_BYTES):
                    yield piece
            yield bytes(_padded(size) - size)
    yield END


def _padded(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
