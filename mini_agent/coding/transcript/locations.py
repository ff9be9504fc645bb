"""Finds session files: Claude Code's folders, ids, the newest session, the list of all."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from mini_agent.coding.transcript.log import MESSAGE_TYPES, parse_line
from mini_agent.errors import BadRequest

UNSAFE_CHARS: Final = re.compile(r"[^A-Za-z0-9]")
MAX_SLUG_CHARS: Final = 200
MAX_TITLE_CHARS: Final = 80
# How much of a file is read to tell whose transcript it is, and whether it is one.
MAX_HEAD_LINES: Final = 50
MAX_LINE_BYTES: Final = 16 << 20
MAX_NAMED: Final = 5
RESUME_HINT: Final = (
    "name a session's id, the beginning of one, or a transcript's file; --continue takes the newest"
)


@dataclass(frozen=True, slots=True)
class SessionFile:
    """The transcript file of a session; it may not exist yet."""

    path: Path
    session_id: str

    @property
    def exists(self) -> bool:
        """Whether the file exists."""
        return self.path.exists()


@dataclass(frozen=True, slots=True)
class SessionOrigin:
    """The folder and branch that every line of a transcript names."""

    cwd: str
    branch: str = ""


@dataclass(frozen=True, slots=True)
class SessionListing:
    """A session in the list to choose from."""

    session_file: SessionFile
    title: str
    changed: datetime


def get_sessions_folder(claude_home: Path, project: Path) -> Path:
    """Return the folder of the sessions of `project`."""
    return claude_home / "projects" / UNSAFE_CHARS.sub("-", str(project))[:MAX_SLUG_CHARS]


def create_session_file(folder: Path) -> SessionFile:
    """Create the name of a new session."""
    session_id = str(uuid4())
    return SessionFile(folder / f"{session_id}.jsonl", session_id)


def find_session_file(name: str, folder: Path) -> SessionFile:
    """Find a session by its id, by the beginning of one, or by the path of a transcript.

    Sessions in `folder` go before those of other projects. Raises `BadRequest` for what is none of
    these, or the beginning of several ids; no file is created or changed.
    """
    if _looks_like_path(name):
        return _open_transcript(name, folder)
    for paths in (_session_paths(folder), _all_session_paths(folder)):
        matching = [path for path in paths if path.stem.lower().startswith(name.lower())]
        exact = [path for path in matching if path.stem.lower() == name.lower()]
        matching = exact[:1] or matching
        if len(matching) == 1:
            return SessionFile(matching[0], matching[0].stem)
        if matching:
            raise _ambiguous(name, matching)
    return _open_transcript(name, folder)


def _looks_like_path(name: str) -> bool:
    return "/" in name or name.startswith("~") or name.endswith(".jsonl")


def _open_transcript(name: str, folder: Path) -> SessionFile:
    try:
        path = Path(name).expanduser().absolute()
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError):
        path, is_file = Path(), False
    if not is_file:
        raise BadRequest(f"there is no session {name:.200} in {folder}", hint=RESUME_HINT)
    if not is_transcript(path):
        raise BadRequest(f"{path} is no transcript of a session", hint=RESUME_HINT)
    return SessionFile(path, path.stem if _is_id(path.stem) else str(uuid4()))


def is_transcript(path: Path) -> bool:
    """Tell whether one of the first lines of a file is a message of a session."""
    try:
        with path.open("rb") as file:
            lines = [file.readline(MAX_LINE_BYTES) for _ in range(MAX_HEAD_LINES)]
    except OSError:
        return False
    entries = (parse_line(line.decode("utf-8", "replace")) for line in lines if line.strip())
    return any(entry and entry.type in MESSAGE_TYPES and entry.message for entry in entries)


def _ambiguous(name: str, paths: Sequence[Path]) -> BadRequest:
    several = ", ".join(sorted(path.stem for path in paths)[:MAX_NAMED])
    more = ", ..." if len(paths) > MAX_NAMED else ""
    return BadRequest(
        f"{name} is the beginning of {len(paths)} sessions: {several}{more}",
        hint="write more of the id",
    )


def find_newest_session(folder: Path, project: Path) -> SessionFile:
    """Find the session of `project` that was written last; raises `BadRequest` without any."""
    for path in _newest_first(_all_session_paths(folder)):
        if is_of_project(path, folder, project):
            return SessionFile(path, path.stem)
    raise BadRequest(
        f"there is no session to continue that was begun in {project}",
        hint="sessions belong to the folder they were begun in; start one without --continue",
    )


def list_sessions(folder: Path, project: Path) -> list[SessionListing]:
    """List all sessions of a project, the newest first."""
    paths = _newest_first(_all_session_paths(folder))
    return [_read_listing(path) for path in paths if is_of_project(path, folder, project)]


def is_of_project(path: Path, folder: Path, project: Path) -> bool:
    """Tell whether a session was begun in `project`, by the first line that names a folder.

    INVARIANT: the name of its folder does not tell: several projects' names become the same one.
    """
    try:
        cwd = read_cwd(path)
    except OSError:
        return False
    if not cwd:
        return path.parent == folder
    return cwd == str(project) or os.path.realpath(cwd) == os.path.realpath(project)


def read_cwd(path: Path) -> str:
    """Read the folder that the first lines of a session name; empty where they name none."""
    with path.open("rb") as file:
        for _ in range(MAX_HEAD_LINES):
            line = file.readline(MAX_LINE_BYTES)
            entry = parse_line(line.decode("utf-8", "replace")) if b'"cwd"' in line else None
            if entry and entry.cwd:
                return entry.cwd
    return ""


def _session_paths(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.jsonl") if _is_id(path.stem)]


def _all_session_paths(folder: Path) -> list[Path]:
    return [path for path in folder.parent.glob("*/*.jsonl") if _is_id(path.stem)]


def _newest_first(paths: Sequence[Path]) -> list[Path]:
    return sorted(paths, key=_changed_at, reverse=True)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read_listing(path: Path) -> SessionListing:
    changed = datetime.fromtimestamp(_changed_at(path)).astimezone()
    return SessionListing(SessionFile(path, path.stem), _read_title(path), changed)


def _read_title(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            entry = parse_line(line)
            text = entry.text if entry and entry.type == "user" and not entry.is_meta else ""
            if text.strip() and not text.lstrip().startswith("<"):
                return " ".join(text.split())[:MAX_TITLE_CHARS]
    return ""


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
