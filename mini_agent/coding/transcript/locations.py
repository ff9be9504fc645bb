"""Finds session files: Claude Code's folders, ids, the newest session, the list of all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from mini_agent.coding.transcript.log import parse_line
from mini_agent.errors import BadRequest

UNSAFE_CHARS: Final = re.compile(r"[^A-Za-z0-9]")
MAX_SLUG_CHARS: Final = 200
MAX_TITLE_CHARS: Final = 80


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
    """Find a session by its id, which must exist, or by a path, which need not."""
    if _is_id(name):
        session_file = SessionFile(folder / f"{name}.jsonl", name)
        if session_file.exists:
            return session_file
        elsewhere = next(folder.parent.glob(f"*/{name}.jsonl"), None)
        if elsewhere is not None:
            return SessionFile(elsewhere, name)
        raise BadRequest(
            f"there is no session {name} in {folder}",
            hint="name a session's id or a transcript's file, or take --continue for the newest",
        )
    path = Path(name).expanduser().absolute()
    if path.exists() and not path.is_file():
        raise BadRequest(f"{path} is no file, so no transcript", hint="name a .jsonl file")
    return SessionFile(path, path.stem if _is_id(path.stem) else str(uuid4()))


def find_newest_session(folder: Path) -> SessionFile:
    """Find the session that was written last; raises `BadRequest` without any."""
    listings = list_sessions(folder)
    if not listings:
        raise BadRequest(
            f"there is no session to continue in {folder}",
            hint="sessions belong to the folder they were begun in; start one without --continue",
        )
    return listings[0].session_file


def list_sessions(folder: Path) -> list[SessionListing]:
    """List all sessions of a project, the newest first."""
    paths = [path for path in folder.glob("*.jsonl") if _is_id(path.stem)]
    listings = [_read_listing(path) for path in paths]
    return sorted(listings, key=lambda each: each.changed, reverse=True)


def _read_listing(path: Path) -> SessionListing:
    changed = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
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
