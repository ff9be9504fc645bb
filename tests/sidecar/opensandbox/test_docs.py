"""The programs of docs/litellm-sandbox.md, run as they stand, print what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.sidecar_process import TOKEN, Sidecar
from tests.sidecar.opensandbox.scripted_model import coder

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "litellm-sandbox.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```\n", PAGE, re.DOTALL)


def test_every_program_shows_what_it_prints() -> None:
    assert len(PROGRAMS) == PAGE.count("```python") == 3


@pytest.mark.parametrize("number", range(3))
def test_a_program_prints_what_the_page_shows(real: Sidecar, number: int) -> None:
    code, shown = PROGRAMS[number]
    with coder() as model:
        told = {
            "OPEN_SANDBOX_API_BASE": f"{real.url}/v1",
            "OPEN_SANDBOX_API_KEY": TOKEN,
            "OPENAI_API_BASE": model,
            "OPENAI_API_KEY": "none",
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
