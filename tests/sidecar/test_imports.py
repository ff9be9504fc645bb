"""What the sidecar loads to answer."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("program", ["codex_sidecar.__main__", "codex_sidecar.guard.__main__"])
def test_no_library_for_clients_of_http_is_loaded(program: str) -> None:
    code = f"import sys, {program}; print([n for n in ('httpx', 'httpcore') if n in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "[]\n"
