"""Packages from npm that tests call, installed once a checkout."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def npm_packages(folder: Path, packages: Sequence[str]) -> Path:
    """Their `node_modules`; skips, by name, where there is no Node.js."""
    if shutil.which("npm") is None:
        pytest.skip("there is no Node.js with npm on this machine: sudo apt-get install nodejs npm")
    made_of = folder / ".made-of"
    if not made_of.exists() or made_of.read_text() != " ".join(packages):
        npm = ["npm", "install", "--prefix", str(folder), "--no-save", "--no-package-lock"]
        subprocess.run([*npm, "--no-audit", "--no-fund", "--silent", *packages], check=True)
        made_of.write_text(" ".join(packages))
    return folder / "node_modules"
