"""Packages from npm that tests call, installed once a checkout."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


def npm_packages(folder: Path, packages: Sequence[str]) -> Path:
    """Their `node_modules`; skips, by name, where there is no Node.js."""
    if shutil.which("npm") is None:
        pytest.skip("there is no Node.js with npm on this machine: sudo apt-get install nodejs npm")
    made_of = folder / ".made-of"
    with alone(folder.parent):
        if not made_of.exists() or made_of.read_text() != " ".join(packages):
            npm = ["npm", "install", "--prefix", str(folder), "--no-save", "--no-package-lock"]
            subprocess.run([*npm, "--no-audit", "--no-fund", "--silent", *packages], check=True)
            made_of.write_text(" ".join(packages))
    return folder / "node_modules"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process of the tests is in a block for the same folder, which is made first."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
