"""An environment with the wheels and their extras, and nothing of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.ollama.command import ROOT

UV = (sys.executable, "-m", "uv")


def install(folder: Path, *extras: str) -> Path:
    """The environment's python."""
    for member in (ROOT, ROOT / "protocol", ROOT / "shim"):
        _ran(*UV, "build", "-q", "--wheel", "-o", str(folder), str(member))
    (wheel,) = folder.glob("mini_agent-*.whl")
    others = [str(path) for path in folder.glob("mini_agent_*.whl")]
    python = folder / "venv" / "bin" / "python"
    _ran(*UV, "venv", "-q", str(folder / "venv"))
    wanted = f"{wheel}[{','.join(extras)}]"
    pinned = ("-c", str(ROOT / "constraints.txt"))
    _ran(*UV, "pip", "install", "-q", "-p", str(python), *pinned, *others, wanted)
    return python


def would_install(what: str) -> str:
    """What pip would install for `what`, of this checkout, without uv's knowledge of its parts."""
    into = ("--dry-run", "--no-sources", "-p", sys.executable, "-c", str(ROOT / "constraints.txt"))
    return _ran(*UV, "pip", "install", *into, "-e", "protocol", "-e", "shim", "-e", what)


def printed_by(python: Path, program: str, **environment: str) -> str:
    """What a program prints, run where nothing but the environment can be imported."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return _ran(str(python), "-I", "-c", program, **plain, **environment)


def _ran(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment or None,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + (done.stderr if "--dry-run" in command else "")
