"""Where a path leads, links followed, and what is there."""

from __future__ import annotations

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """The real path; where links go round in a circle, as far as they lead.

    `Path.resolve` raises `RuntimeError` there.
    """
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """Whether there is a folder, as far as one may know; `Path.is_dir` raises where one may not."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """The same of a file."""
    return os.path.isfile(path)  # noqa: PTH113
