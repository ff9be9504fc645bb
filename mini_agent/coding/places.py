"""Where the assistant works, and where the user keeps what is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mini_agent.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Places:
    """The project's folder, further folders, and the user's own `.claude`."""

    project: Path
    additional: tuple[Path, ...]
    claude_home: Path


def places_of(add_dirs: tuple[str, ...], variables: Mapping[str, str]) -> Places:
    """Those of this process; `BadRequest` where a folder is not there."""
    try:
        project = Path.cwd()
    except FileNotFoundError:
        raise BadRequest(
            "the current folder is gone", hint="cd into one that is there, and start again"
        ) from None
    additional = tuple(_folder(named) for named in add_dirs)
    home = variables.get("CLAUDE_CONFIG_DIR")
    return Places(project, additional, Path(home) if home else Path.home() / ".claude")


def branch_of(project: Path) -> str:
    """The branch that is checked out there, empty outside a repository."""
    for folder in (project, *project.parents):
        try:
            head = (folder / ".git" / "HEAD").read_text().strip()
        except OSError:
            continue
        return head.removeprefix("ref: refs/heads/") if head.startswith("ref:") else "HEAD"
    return ""


def _folder(named: str) -> Path:
    path = Path(named).expanduser().absolute()
    if not path.is_dir():
        raise BadRequest(f"--add-dir {named}: there is no such folder", field="add_dir")
    return path
