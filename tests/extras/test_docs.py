"""The page about tuning, run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mini_agent.config import AgentConfig
from mini_agent.testing import Models, ScriptedServer, call
from mini_agent.testing.replies import ScriptedReply
from tests.ollama.command import ROOT

PAGE = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SETTINGS = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_programs_run(program: str, album: Path) -> None:
    seeing = Models(capabilities=("completion", "tools", "vision"))
    turns: list[ScriptedReply | str] = [call("exec_python", code="print(97)"), "An answer."]
    with ScriptedServer(turns, models=seeing) as server:
        ended = subprocess.run(
            [sys.executable, "-c", program],
            cwd=album,
            env={**os.environ, "OLLAMA_API_BASE": server.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("An answer.")


def test_every_setting_it_names_is_one() -> None:
    named = {name for row in SETTINGS for name in re.findall(r"\w+", row)}
    assert named - set(AgentConfig.model_fields) == {"allowed_languages", "max_tokens"}
