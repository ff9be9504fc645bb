"""References to variables in files that name MCP servers: `${VAR}`, as each client writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MIN_SECRET_CHARS: Final = 6
REPLACEMENT: Final = "***"
OPENING: Final = "${"
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DEFAULT_MARK: Final = ":-"
ENVIRONMENT_MARK: Final = "env:"
INPUT_MARK: Final = "input:"
# Folders in which editors keep their file of servers.
EDITOR_FOLDERS: Final = (".vscode", ".cursor", ".roo", ".kiro", ".gemini")


class VariableNotSet(Exception):
    """A required variable is not set; the message names it, never a value."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this process; `secrets` are the values that servers get."""

    variables: Mapping[str, str] = field(repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)
    folder: Path | None = None

    def value(self, name: str, where: str) -> str:
        """Return a variable's value; raises `VariableNotSet` where it is missing or empty."""
        value = self.variables.get(name, "")
        if not value:
            raise VariableNotSet(f"{where}: the variable {name} is not set")
        self.secrets.add(value)
        return value

    def expand(self, text: str, where: str) -> str:
        """Replace the references in `text`; raises `VariableNotSet` for one without a value.

        A default may hold references. A bare `$VAR`, and what is no reference, is kept.
        """
        before, opening, rest = text.partition(OPENING)
        if not opening:
            return text
        inside, closed, after = _split_at_end(rest)
        if not closed:
            return text
        return before + self._replace(inside, where) + self.expand(after, where)

    def redact(self, text: str) -> str:
        """Return `text` with the secrets replaced."""
        for value in sorted(self.secrets, key=len, reverse=True):
            if len(value) >= MIN_SECRET_CHARS:
                text = text.replace(value, REPLACEMENT)
        return text

    def _replace(self, inside: str, where: str) -> str:
        if inside.startswith(INPUT_MARK):
            raise VariableNotSet(
                f"{where}: ${{{inside:.60}}} is asked for by an editor, and nobody can be asked "
                "here; put the value into a variable NAME, and write ${NAME}"
            )
        place = self._find_place(inside)
        if place is not None:
            return place
        name, has_default, default = inside.removeprefix(ENVIRONMENT_MARK).partition(DEFAULT_MARK)
        if NAME.fullmatch(name) is None:
            return f"{OPENING}{inside}}}"
        if has_default and not self.variables.get(name):
            return self.expand(default, where)
        return self.value(name, where)

    def _find_place(self, inside: str) -> str | None:
        """Return one of the folders that editors name; None for anything else."""
        folder = (self.folder or Path.cwd()).absolute()
        places = {
            "workspaceFolder": str(folder),
            "workspaceRoot": str(folder),
            "workspaceFolderBasename": folder.name,
            "cwd": str(Path.cwd()),
            "userHome": str(Path.home()),
            "pathSeparator": "/",
            "/": "/",
        }
        return places.get(inside)


def workspace_of(path: Path) -> Path:
    """Return the folder that a file of servers belongs to."""
    folder = path.absolute().parent
    return folder.parent if folder.name in EDITOR_FOLDERS else folder


def _split_at_end(rest: str) -> tuple[str, bool, str]:
    """Split at the brace that closes a reference; False where there is none."""
    depth = 1
    for place, character in enumerate(rest):
        if character == "}":
            depth -= 1
        elif rest.startswith(OPENING, place):
            depth += 1
        if not depth:
            return rest[:place], True, rest[place + 1 :]
    return rest, False, ""
