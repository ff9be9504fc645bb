"""The programs of docs/litellm-sandbox.md, run as they stand, print what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.replies import JsonObject, Scripted
from tests.docker.engine_here import TOKEN, Sidecar

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "litellm-sandbox.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```\n", PAGE, re.DOTALL)
RUNS = (
    "from itertools import groupby\n"
    "text = ''.join(f'{letter}{len(list(run))}' for letter, run in groupby('aaabbc'))\n"
    "print(text)\n"
    "open('runs.txt', 'w').write(text)\n"
)


def coder(messages: list[JsonObject]) -> Scripted | str:
    """Computes with the tool there is, and then says what it printed."""
    last = messages[-1]
    if last["role"] == "tool":
        return f"It is {str(last['content']).splitlines()[0]}."
    tool = "exec_python" if "keep the result" in str(last["content"]) else "litellm_code_execution"
    return call(tool, code=RUNS)


def test_every_program_shows_what_it_prints() -> None:
    assert len(PROGRAMS) == PAGE.count("```python") == 3


@pytest.mark.parametrize("number", range(3))
def test_a_program_prints_what_the_page_shows(real: Sidecar, number: int) -> None:
    code, shown = PROGRAMS[number]
    with ScriptedServer(coder) as server:
        told = {
            "OPEN_SANDBOX_API_BASE": f"{real.url}/v1",
            "OPEN_SANDBOX_API_KEY": TOKEN,
            "OLLAMA_API_BASE": server.url,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | told,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert (ran.returncode, ran.stdout) == (0, shown), ran.stderr


def test_the_pages_yaml_is_that_of_the_file_which_the_proxy_is_started_with() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert shown in (ROOT / "docs" / "proxy" / "code-interpreter.yaml").read_text()
