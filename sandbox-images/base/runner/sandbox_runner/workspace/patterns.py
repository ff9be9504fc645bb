"""Patterns of the files that come back: paths, folders, and globs with braces and `**`."""

import os.path
from fnmatch import fnmatchcase

from sandbox_runner.paths import WORKSPACE

# Names of the workspace that people write before a path of it.
ROOTS = (WORKSPACE, "/mnt/data", "~")
MAGIC = frozenset("*?[")
MAX_EXPANSIONS = 256

Parts = list[str]


class Pattern:
    """One pattern as it was asked for, and whether a path has matched it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._matched = self._saw_folder = False
        path = _relative(text)
        self._is_outside = path is None
        self._literal = os.path.normpath(path) if path else "."
        self._folder = text.endswith("/")
        self._globs = [_split(glob) for glob in _expand(path)] if path is not None else []

    def matches(self, path: str) -> bool:
        """Whether a file is meant: by its name, by a folder it is in, or by the glob."""
        found = not self._is_outside and bool(self.text) and self._is_meant(path)
        self._matched |= found
        return found

    def see_folder(self, path: str) -> None:
        """Notes a folder, which need not have files in it."""
        self._saw_folder |= path == self._literal

    def complaint(self) -> str:
        """Why nothing was found; empty where something was."""
        if self._matched:
            return ""
        if self._is_outside:
            return f"it is not in {WORKSPACE}, and only files from there can come back"
        return "the folder holds no file" if self._saw_folder else "no file matches"

    def _is_meant(self, path: str) -> bool:
        if self._literal in (".", path) or path.startswith(f"{self._literal}/"):
            return True
        parts = path.split("/")
        return any(self._fits(parts, glob) for glob in self._globs)

    def _fits(self, parts: Parts, glob: Parts) -> bool:
        if _match(parts, glob):
            return True
        # A folder's name stands for all in it; a last part with a wildcard means files alone.
        is_folder = self._folder or not MAGIC & set(glob[-1] if glob else "")
        return is_folder and any(_match(parts[:end], glob) for end in range(1, len(parts)))


def _relative(text: str) -> str | None:
    """The pattern relative to the workspace; None where it leads elsewhere."""
    for root in ROOTS:
        if text == root or text.startswith(f"{root}/"):
            text = text[len(root) :].lstrip("/") or "."
            break
    is_outside = text.startswith("/") or os.path.normpath(text).split("/")[0] == ".."
    return None if is_outside else text


def _split(glob: str) -> Parts:
    parts = [part for part in os.path.normpath(glob).split("/") if part != "."]
    # Several in a row mean no more than one.
    return [
        part for at, part in enumerate(parts) if part != "**" or at == 0 or parts[at - 1] != "**"
    ]


def _expand(glob: str) -> list[str]:
    """All that a pattern with braces stands for, of nested ones too."""
    done: list[str] = []
    waiting = [glob]
    while waiting and len(done) + len(waiting) <= MAX_EXPANSIONS:
        choice = _first_choice(waiting[-1])
        text = waiting.pop()
        if choice is None:
            done.append(text)
            continue
        start, end, options = choice
        waiting += [text[:start] + option + text[end:] for option in reversed(options)]
    return done + waiting


def _first_choice(text: str) -> tuple[int, int, list[str]] | None:
    """Where the first innermost braces with a comma in them begin and end, and their options."""
    start = -1
    for at, character in enumerate(text):
        if character == "{":
            start = at
        elif character == "}" and start >= 0:
            options = text[start + 1 : at].split(",")
            if len(options) > 1:
                return start, at + 1, options
            start = -1
    return None


def _match(parts: Parts, glob: Parts) -> bool:
    # Which beginnings of the path the glob so far can stand for: no pattern costs more than its
    # length times the path's.
    ends = {0}
    for part in glob:
        if part == "**":
            ends = set(range(min(ends), len(parts) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(parts) and fnmatchcase(parts[end], part)}
        if not ends:
            return False
    return len(parts) in ends
