"""Where a path leads, links followed."""

from __future__ import annotations

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """The real path; where links go round in a circle, as far as they lead.

    `Path.resolve` raises `RuntimeError` there.
    """
    return Path(os.path.realpath(path))
