"""The stand-in's `ollama` command on this machine, and a server of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT / "tests" / "ollama" / "stand-in"
COMMAND = f'#!/bin/sh\nexec "{sys.executable}" -m stand_in "$@"\n'


@dataclass(frozen=True, slots=True)
class Ollama:
    """A folder with the command in it, for PATH, and the server that it talks to."""

    bin: Path
    host: str

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a program that finds `ollama` on its PATH."""
        return subprocess.run(
            arguments,
            env=_environment(self.bin, self.host) | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )


def installed(folder: Path, program: str = COMMAND) -> Path:
    """A new folder for PATH with `program` in it as `ollama`."""
    path = folder / "bin" / "ollama"
    path.parent.mkdir()
    path.write_text(program, encoding="utf-8")
    path.chmod(0o755)
    return path.parent


@contextmanager
def serving(bin_folder: Path, models: Path) -> Iterator[Ollama]:
    """`ollama serve` in a process of its own."""
    with subprocess.Popen(
        ["ollama", "serve"],
        env=_environment(bin_folder, "127.0.0.1:0") | {"OLLAMA_MODELS": str(models)},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().removeprefix("Listening on ").partition(",")[0]
        try:
            yield Ollama(bin_folder, address)
        finally:
            server.terminate()


def _environment(bin_folder: Path, host: str) -> dict[str, str]:
    return {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": f"{STAND_IN}:{ROOT}",
        "OLLAMA_HOST": host,
    }
