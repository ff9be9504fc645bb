"""The page about testing, run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mini_agent import testing
from mini_agent.testing.script_file import read_script

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SCRIPTS = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_programs_run(program: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr


def test_it_shows_programs() -> None:
    assert len(PROGRAMS) == 5


def test_its_script_is_read(tmp_path: Path) -> None:
    (script,) = SCRIPTS
    file = tmp_path / "script.json"
    file.write_text(script, encoding="utf-8")
    assert len(read_script(file).replies) == 4


def test_it_names_every_public_name() -> None:
    named = set(re.findall(r"\w+", PAGE))
    values_of_the_vocabulary = {"Reply", "Request", "Script", "ScriptedReply"}
    assert set(testing.__all__) - values_of_the_vocabulary - named == set()
