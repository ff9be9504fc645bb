"""A GGUF file served by the demo model's own server, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.ollama.command import ROOT

SERVE: Final = ROOT / "ollama" / "demo" / "serve.py"


@contextmanager
def served(weights: Path) -> Iterator[str]:
    """The address (`http://127.0.0.1:PORT/v1`) of the model while the block runs."""
    command = [sys.executable, str(SERVE), "--model", str(weights), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            started = server.stdout.readline()
            assert started.startswith("serving "), f"the server did not start: {started!r}"
            yield f"{started.split()[-1]}/v1"
        finally:
            server.terminate()
