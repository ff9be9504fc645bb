"""The examples of the sandbox's pages, run as they stand, print what they show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.sidecar_process import TOKEN, Sidecar

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
EXAMPLES = re.compile(r"```(sh|python)\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
SETUP = "docker compose"


def examples(language: str, page: str = "sandbox.md") -> list[tuple[str, str]]:
    """Each example with what it prints."""
    found = EXAMPLES.findall((ROOT / "docs" / page).read_text())
    return [(code, shown) for name, code, shown in found if name == language]


def printed(command: list[str], real: Sidecar) -> str:
    told = {"MINI_AGENT_SIDECAR_URL": real.url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN}
    ran = subprocess.run(
        command, env=os.environ | told, capture_output=True, text=True, timeout=100, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_every_example_shows_what_it_prints() -> None:
    shown = [(code, output) for name in ("sh", "python") for code, output in examples(name)]
    assert len(shown) == 7
    assert [code for code, output in shown if not output] == [examples("sh")[0][0]]
    assert SETUP in examples("sh")[0][0]


def test_the_commands_print_what_the_page_shows(real: Sidecar) -> None:
    _, *commands = examples("sh")
    script = "set -eo pipefail\n" + "\n".join(code for code, _ in commands)
    assert printed(["bash", "-c", script], real) == "".join(shown for _, shown in commands)


def test_the_program_prints_what_the_page_shows(real: Sidecar) -> None:
    ((code, shown),) = examples("python")
    assert printed([sys.executable, "-c", code], real) == shown


def test_the_page_on_awkward_input_shows_what_is_printed(real: Sidecar) -> None:
    ((command, shown),) = examples("sh", "sandbox-input.md")
    function = next(line for line in examples("sh")[1][0].splitlines() if "sandbox()" in line)
    script = f"set -eo pipefail\n{function}\n{command}"
    assert printed(["bash", "-c", script], real) == shown
