"""Runs in the sandbox: writes files of the project there, and reports what commands changed.

It needs the standard library alone and is sent as text. What it prints and writes is data of a
sandbox, which the host checks. A bundle is the length of a JSON header (8 bytes), the header, and
the content of its files; it lies in parts beside the project.
"""

import json
import marshal
import os
import stat
import sys
from collections.abc import Iterable, Iterator

LENGTH_BYTES = 8
CHUNK_BYTES = 1 << 20
# Below what one call of the files API carries.
PART_BYTES = 15 << 20
# A program in the sandbox can make any number of files.
MAX_ENTRIES = 50_000
MAX_CWD_BYTES = 4096
NEVER = frozenset({".git"})

Stamp = tuple[object, ...]
Facts = tuple[str, str, bool, int, int, str]


class PartReader:
    """The parts of a bundle, read as one; each is removed when its end is reached."""

    def __init__(self, prefix: str) -> None:
        self._prefix, self._number = prefix, 0
        self._part = open(f"{prefix}.0", "rb")  # noqa: SIM115 - closed by _open_next

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes; raise EOFError where there are fewer."""
        pieces: list[bytes] = []
        while size:
            piece = self._part.read(min(size, CHUNK_BYTES))
            if piece:
                pieces.append(piece)
                size -= len(piece)
            else:
                self._open_next()
        return b"".join(pieces)

    def close(self) -> None:
        """Remove the last part."""
        self._part.close()
        os.unlink(f"{self._prefix}.{self._number}")

    def _open_next(self) -> None:
        self.close()
        self._number += 1
        try:
            self._part = open(f"{self._prefix}.{self._number}", "rb")  # noqa: SIM115
        except FileNotFoundError:
            raise EOFError("the bundle ends too early") from None


class PartWriter:
    """Writes a bundle in parts."""

    def __init__(self, prefix: str) -> None:
        self._prefix, self.count, self._room = prefix, 0, 0
        self._descriptor = -1

    def write(self, piece: bytes) -> None:
        """Append the bytes."""
        view = memoryview(piece)
        while view:
            if not self._room:
                self._open_next()
            written = os.write(self._descriptor, view[: self._room])
            view = view[written:]
            self._room -= written

    def _open_next(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self._descriptor = os.open(f"{self._prefix}.{self.count}", flags, 0o600)
        self.count += 1
        self._room = PART_BYTES


def write(root: str, sync: str) -> None:
    """Write what the bundle holds over the project, and note how everything is now."""
    os.umask(0)
    os.makedirs(root, 0o755, exist_ok=True)
    reader = PartReader(f"{sync}/in")
    header = json.loads(reader.read(int.from_bytes(reader.read(LENGTH_BYTES), "big")))
    for path, kind, is_executable, modified_ns, size, target in header:
        full = f"{root}/{path}"
        if kind == "file":
            mode = 0o755 if is_executable else 0o644
            _write_file(full, mode, modified_ns, reader.read(size))
        else:
            _remove(full, keep_folder=kind == "folder")
            _make_other(full, kind, target)
    reader.close()
    _save(sync, dict(_scan(root, {}, frozenset())))


def report(root: str, sync: str, skipped: frozenset[str]) -> None:
    """Print what has changed since then, and the folder in which the last command ended."""
    # Where the project's folder itself is another thing, nothing in it is a change.
    is_folder = os.path.isdir(root) and not os.path.islink(root)
    base = _load(sync) if is_folder else None
    found: dict[str, object] = {"cwd": _read_cwd(sync), "lost": base is None, "changes": []}
    if base is not None:
        found["changes"] = list(_differences(root, base, skipped))
    print(json.dumps(found))


def take(root: str, sync: str, skipped: frozenset[str]) -> None:
    """Write the files that standard input names to a bundle, and note how everything is now."""
    entries = [_describe(root, str(path)) for path in json.load(sys.stdin)]
    header = json.dumps(entries).encode()
    writer = PartWriter(f"{sync}/out")
    writer.write(len(header).to_bytes(LENGTH_BYTES, "big") + header)
    for path, kind, _, _, size, _ in entries:
        if kind == "file":
            _copy(f"{root}/{path}", size, writer)
    _save(sync, dict(_scan(root, _load(sync) or {}, skipped)))
    print(writer.count)


def _write_file(full: str, mode: int, modified_ns: int, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(full, flags, mode)
    except OSError:
        # Its folder is missing, or something else is in its place.
        _remove(full)
        _make_folder(os.path.dirname(full))
        descriptor = os.open(full, flags, mode)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fchmod(descriptor, mode)
    os.utime(descriptor, ns=(modified_ns, modified_ns))
    os.close(descriptor)


def _make_other(full: str, kind: str, target: str) -> None:
    if kind == "folder":
        _make_folder(full)
    elif kind == "link":
        _make_folder(os.path.dirname(full))
        os.symlink(target, full)


def _make_folder(full: str) -> None:
    try:
        os.makedirs(full, 0o755, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        # A command has put a file where the project has a folder.
        parent = full
        while not os.path.lexists(parent):
            parent = os.path.dirname(parent)
        os.unlink(parent)
        os.makedirs(full, 0o755, exist_ok=True)


def _remove(full: str, *, keep_folder: bool = False) -> None:
    try:
        is_folder = stat.S_ISDIR(os.lstat(full).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return
    if not is_folder:
        os.unlink(full)
    elif not keep_folder:
        import shutil

        shutil.rmtree(full)


def _scan(
    root: str, base: dict[str, Stamp], skipped: frozenset[str]
) -> Iterator[tuple[str, Stamp]]:
    """Yield the entries below `root`; folders called as in `skipped` only if `base` has them."""
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(f"{root}/{folder}") as entries:
            for entry in entries:
                path = f"{folder}{entry.name}"
                if not entry.is_dir(follow_symlinks=False):
                    yield path, _stamp(entry.stat(follow_symlinks=False))
                elif entry.name not in NEVER and (entry.name not in skipped or path in base):
                    yield path, ("folder",)
                    # One that cannot be read holds nothing that could be brought back.
                    if os.access(f"{root}/{path}", os.R_OK | os.X_OK):
                        folders.append(f"{path}/")


def _stamp(status: os.stat_result) -> Stamp:
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_mode, status.st_size, status.st_ino, *times)


def _differences(root: str, base: dict[str, Stamp], skipped: frozenset[str]) -> Iterator[Facts]:
    now = dict(_scan(root, base, skipped))
    changed = (path for path, stamp in now.items() if base.get(path) != stamp)
    for path in _limited([*changed, *(path for path in base if path not in now)]):
        yield _describe(root, path)


def _limited(paths: list[str]) -> Iterable[str]:
    return sorted(paths)[:MAX_ENTRIES]


def _describe(root: str, path: str) -> Facts:
    """Return path, kind, whether it is executable, time, size and the target of a link."""
    try:
        status = os.lstat(f"{root}/{path}")
    except (FileNotFoundError, NotADirectoryError):
        return path, "gone", False, 0, 0, ""
    target = os.readlink(f"{root}/{path}") if stat.S_ISLNK(status.st_mode) else ""
    is_executable = bool(status.st_mode & stat.S_IXUSR)
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return path, _kind(status), is_executable, status.st_mtime_ns, size, target


def _kind(status: os.stat_result) -> str:
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(status.st_mode), "other")


def _copy(full: str, size: int, writer: PartWriter) -> None:
    if not os.access(full, os.R_OK):
        os.chmod(full, stat.S_IMODE(os.lstat(full).st_mode) | stat.S_IRUSR)
    with open(full, "rb") as source:
        while size and (piece := source.read(min(size, CHUNK_BYTES))):
            writer.write(piece)
            size -= len(piece)


def _read_cwd(sync: str) -> str:
    cwd = _read_own(f"{sync}/cwd")[:MAX_CWD_BYTES]
    return os.fsdecode(cwd).removesuffix("\n")


def _save(sync: str, base: dict[str, Stamp]) -> None:
    _remove(f"{sync}/base")
    with open(f"{sync}/base", "xb") as file:
        marshal.dump(base, file)


def _load(sync: str) -> dict[str, Stamp] | None:
    try:
        return dict(marshal.loads(_read_own(f"{sync}/base")))  # noqa: S302 - the sandbox's own
    except (ValueError, EOFError, TypeError):
        return None


def _read_own(path: str) -> bytes:
    """Read a file of ours; empty where a command has put something else in its place."""
    try:
        # Not blocking: nothing writes to a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            return file.read()
    except OSError:
        return b""


def main(operation: str, folder: str, *skipped: str) -> None:
    """Carry out one operation on `folder`/project."""
    root, sync = f"{folder}/project", f"{folder}/sync"
    if operation == "write":
        write(root, sync)
    elif operation == "report":
        report(root, sync, frozenset(skipped))
    else:
        take(root, sync, frozenset(skipped))


if __name__ == "__main__":
    main(*sys.argv[1:])
