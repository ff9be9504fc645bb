"""The project's files on the host: which of them go into the sandbox, and what they hold."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, TypeAlias

from mini_agent.coding.sandbox.entries import Entry, EntryFacts, Kind, is_safe_path
from mini_agent.coding.tools.glob_pattern import compile_globs
from mini_agent.errors import BadRequest

# Fewer than the files and folders that a workspace can hold.
MAX_FILES: Final = 15_000
MAX_GIT_BYTES: Final = 64 << 20
MAX_READ: Final = 64 << 20
GIT_TIMEOUT_S: Final = 30.0
GIT_FOLDER: Final = ".git"
# What programs make again; left out where no .gitignore says so.
GENERATED_FOLDERS: Final = frozenset(
    {GIT_FOLDER, ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", ".gradle", ".direnv", ".terraform"}
)
KINDS: Final[Mapping[int, Kind]] = {stat.S_IFREG: "file", stat.S_IFLNK: "link"}
# INVARIANT: a repository's own configuration starts no program here and fetches nothing.
SAFE_GIT: Final = (
    *("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "core.untrackedCache=false", "-c", "protocol.allow=never"),
)
GIT_ENVIRONMENT: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "",
    "LC_ALL": "C",
}


class FileStamp(NamedTuple):
    """The metadata by which a change on the host is noticed without reading the file."""

    kind: Kind
    is_executable: bool = False
    modified_ns: int = 0
    changed_ns: int = 0
    size: int = 0
    inode: int = 0

    @classmethod
    def from_status(cls, status: os.stat_result) -> FileStamp:
        """Return the stamp of what has this status; of a folder, only that it is one."""
        if stat.S_ISDIR(status.st_mode):
            return cls("folder")
        return cls(
            KINDS.get(stat.S_IFMT(status.st_mode), "other"),
            status.st_mode & stat.S_IXUSR != 0,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_size,
            status.st_ino,
        )


Snapshot: TypeAlias = dict[str, FileStamp]


@dataclass(frozen=True)
class Project:
    """The project in `root`, a real path; what `excluded` globs match is not copied.

    `included` are folders and files that are copied although git ignores them.
    """

    root: Path
    environment: Mapping[str, str]
    excluded: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    _checked: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def has_git(self) -> bool:
        """Whether git knows which files are ignored."""
        return any((folder / GIT_FOLDER).exists() for folder in (self.root, *self.root.parents))

    def snapshot(self, *, with_git: bool) -> Snapshot:
        """Stamp what is to be copied; raises `BadRequest` where it is too much, or git fails."""
        self._checked.clear()
        found: Snapshot = {}
        for path, stamp in self._list_paths(with_git=with_git):
            if stamp.kind in ("file", "link") and self._is_copied(path):
                found[path] = stamp
            if len(found) > MAX_FILES and _is_of_git(path):
                return {path: stamp for path, stamp in found.items() if not _is_of_git(path)}
            if len(found) > MAX_FILES:
                raise BadRequest(
                    f"the project has more than {MAX_FILES} files, which is what the sandbox holds",
                    hint="leave folders out with .gitignore, or permissions.deny Read(FOLDER/**)",
                )
        return found

    def read(self, path: str) -> Entry:
        """Read what is there now; a file that is gone or cannot be read is "gone"."""
        stamp = self._stamp_of(path)
        try:
            if stamp is None or stamp.kind == "other":
                return Entry(EntryFacts(path, "gone"))
            if stamp.kind == "link":
                target = os.readlink(f"{self.root}/{path}")  # noqa: PTH115 - as it is written
                return Entry(EntryFacts(path, "link", target=target))
            return (
                self._read_file(path) if stamp.kind == "file" else Entry(EntryFacts(path, "folder"))
            )
        except OSError:
            return Entry(EntryFacts(path, "gone"))

    def stamp(self, path: str) -> FileStamp | None:
        """Stamp one path as it is now; None where nothing is there, or behind a link."""
        self._checked.clear()
        return self._stamp_of(path)

    def find_ignored(self, paths: list[str]) -> frozenset[str]:
        """Return those of `paths` that would not be copied for their names."""
        paths = [path for path in paths if not self._is_included(path)]
        generated = {path for path in paths if GENERATED_FOLDERS & {*path.split("/")}}
        if not self.has_git or not paths:
            return frozenset(generated)
        # One behind a link would make git refuse all of them, one with a colon be a pattern.
        given = "\0".join(f"./{path}" for path in paths if self._is_reachable(path))
        done = self._git(self.root, "check-ignore", "-z", "--stdin", stdin=os.fsencode(given))
        ignored = os.fsdecode(done.stdout).split("\0")
        return frozenset(generated) | {path.removeprefix("./") for path in ignored if path}

    def is_excluded(self, path: str) -> bool:
        """Whether a rule denies that it is read."""
        return self._excluded.fullmatch(f"{self.root}/{path}") is not None

    @cached_property
    def _excluded(self) -> re.Pattern[str]:
        return compile_globs(self.excluded)

    def _is_included(self, path: str) -> bool:
        return any(path == each or path.startswith(f"{each}/") for each in self.included)

    def _list_paths(self, *, with_git: bool) -> Iterator[tuple[str, FileStamp]]:
        yield from self._list_git("") if self.has_git else self._walk("", GENERATED_FOLDERS)
        for each in self.included:
            yield from self._list_included(each.strip("/"))
        # What a rule denies may well be in the history.
        if with_git and not self.excluded:
            yield from self._list_repository()

    def _is_copied(self, path: str) -> bool:
        return is_safe_path(path) and not self.is_excluded(path)

    def _list_git(self, below: str) -> Iterator[tuple[str, FileStamp]]:
        arguments = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        done = self._git(self.root / below, *arguments)
        if done.returncode and not below:
            raise _git_failed(done)
        names = {name.rstrip("/") for name in os.fsdecode(done.stdout).split("\0")}
        for path in (f"{below}{name}" for name in names if name):
            stamp = self._stamp_of(path)
            # A repository in the repository; git lists its folder alone.
            if stamp is not None and stamp.kind == "folder":
                yield from self._list_git(f"{path}/")
            elif stamp is not None:
                yield path, stamp

    def _list_included(self, path: str) -> Iterator[tuple[str, FileStamp]]:
        stamp = self._stamp_of(path) if is_safe_path(path) else None
        if stamp is not None and stamp.kind == "folder":
            yield from self._walk(f"{path}/", frozenset({GIT_FOLDER}))
        elif stamp is not None:
            yield path, stamp

    def _list_repository(self) -> list[tuple[str, FileStamp]]:
        """List the files of .git; none where it is no folder, or too large to be copied."""
        stamp = self._stamp_of(GIT_FOLDER)
        if stamp is None or stamp.kind != "folder":
            return []
        files = list(self._walk(f"{GIT_FOLDER}/", frozenset({"hooks", "worktrees", "modules"})))
        size = sum(each.size for _, each in files)
        return files if size <= MAX_GIT_BYTES and len(files) <= MAX_FILES // 3 else []

    def _walk(self, below: str, left_out: frozenset[str]) -> Iterator[tuple[str, FileStamp]]:
        folders = [below]
        while folders:
            folder = folders.pop()
            try:
                entries = list(os.scandir(f"{self.root}/{folder}"))
            except OSError:
                continue
            for entry in entries:
                path = f"{folder}{entry.name}"
                if not entry.is_dir(follow_symlinks=False):
                    stamp = self._stamp_of(path)
                    yield from [(path, stamp)] if stamp is not None else []
                elif entry.name not in left_out:
                    folders.append(f"{path}/")

    def _git(
        self, folder: Path, *arguments: str, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        kept = {
            name: self.environment[name] for name in ("PATH", "HOME") if name in self.environment
        }
        try:
            return subprocess.run(
                [*SAFE_GIT, *arguments],
                cwd=folder,
                env={**kept, **GIT_ENVIRONMENT},
                input=stdin,
                capture_output=True,
                timeout=GIT_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BadRequest(
                f"git cannot say which files of {self.root} are ignored: {error}",
                hint="install git, or start in a folder that is in no repository",
            ) from None

    def _stamp_of(self, path: str) -> FileStamp | None:
        if not self._is_real(path):
            return None
        try:
            return FileStamp.from_status(os.lstat(f"{self.root}/{path}"))
        except OSError:
            return None

    def _is_real(self, path: str) -> bool:
        """Whether all folders on the way are folders, not links to others."""
        parent = path.rpartition("/")[0]
        if not parent:
            return True
        if parent not in self._checked:
            self._checked[parent] = self._is_real(parent) and self._is_folder(parent)
        return self._checked[parent]

    def _is_reachable(self, path: str) -> bool:
        parents = (str(each) for each in PurePosixPath(path).parents if str(each) != ".")
        return not any((self.root / parent).is_symlink() for parent in parents)

    def _is_folder(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(f"{self.root}/{path}").st_mode)
        except OSError:
            return False

    def _read_file(self, path: str) -> Entry:
        # Not blocking: a pipe may have taken the place of the file.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(f"{self.root}/{path}", flags)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Entry(EntryFacts(path, "gone"))
            content = os.read(descriptor, status.st_size)
            while len(content) < status.st_size and (more := os.read(descriptor, MAX_READ)):
                content += more
        finally:
            os.close(descriptor)
        executable = status.st_mode & stat.S_IXUSR != 0
        facts = EntryFacts(path, "file", executable, status.st_mtime_ns, len(content))
        return Entry(facts, content)


def _is_of_git(path: str) -> bool:
    return path.startswith(f"{GIT_FOLDER}/")


def _git_failed(done: subprocess.CompletedProcess[bytes]) -> BadRequest:
    said = done.stderr.decode(errors="replace").strip()[:300]
    return BadRequest(
        f"git cannot say which files are ignored, so none is copied: {said}",
        hint="mend the repository, or start in a folder that is in none",
    )
