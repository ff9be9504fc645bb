"""A guard in a process of its own, over the engine of this machine."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.disclosure import require_no_secrets

START_S = 30.0


@dataclass(frozen=True, slots=True)
class Guard:
    """Its socket, the instance whose sandboxes it lets through, its process."""

    socket: Path
    instance: str
    process: subprocess.Popen[bytes]


@contextmanager
def guard(folder: Path, instance: str = "", **settings: str) -> Iterator[Guard]:
    """A guard that answers, which is told to stop afterwards."""
    socket = folder / "guard.sock"
    name = instance or f"test-{secrets.token_hex(4)}"
    variables = {"socket": str(socket), "instance": name} | settings
    environment = {f"CODEX_GUARD_{key.upper()}": value for key, value in variables.items()}
    log_file = folder / "guard.log"
    with (
        log_file.open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-m", "codex_sidecar.guard"], env=os.environ | environment, stderr=log
        ) as process,
    ):
        try:
            _wait_until_healthy(environment)
            yield Guard(socket, name, process)
        finally:
            process.terminate()
    require_no_secrets(log_file.read_text())


def _wait_until_healthy(environment: dict[str, str]) -> None:
    until = time.monotonic() + START_S
    while True:
        asked = subprocess.run(
            [sys.executable, "-m", "codex_sidecar.guard.health"],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        if asked.returncode == 0:
            return
        assert time.monotonic() < until, asked.stderr
        time.sleep(0.1)
