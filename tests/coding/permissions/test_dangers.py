"""What a rule with a star must not cover: that it is dangerous, and that it is asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mini_agent.coding.permissions.policy import Ask, PermissionPolicy
from mini_agent.coding.tools.context import ToolContext
from mini_agent.testing import Call, calls
from mini_agent.testing.script import Script
from tests.coding.harness import Harness, run_command
from tests.coding.permissions.conftest import parse_rules
from tests.coding.permissions.dangers import DANGERS

BUILTINS = ("command", "time", "exec", "builtin", "echo", "test", "printf", "unknowntool")
FILES = {
    "a.txt": "one\ntwo\n",
    "canary.txt": "one\n",
    "a.c": "int x;\n",
    "evil.sed": "1e touch canary\n",
    "evil.awk": 'BEGIN{system("touch canary")}',
    "evil.mk": "x := $(shell touch canary)\nall:\n",
    "Makefile": "all:\n\t@true\n",
    "evil.py": "open('canary', 'w')",
    "evil.js": "require('fs').writeFileSync('canary', '')",
    "evil.ssh": "Host *\nProxyCommand touch canary\n",
    "evil.gcc": "-wrapper ./evil -c a.c",
    "package.json": '{"scripts": {"evil": "touch canary"}}',
}
PROGRAMS = {
    "evil": "#!/bin/sh\ntouch canary\ncat\n",
    "git": "#!/bin/sh\ntouch canary\n",
    "bin/git": "#!/bin/sh\ntouch canary\n",
    "template/hooks/post-checkout": "#!/bin/sh\ntouch ../canary\n",
}
CALLS_A_TURN = 50
REPOSITORY = """
git init -q -b main . && git add a.txt canary.txt && git commit -qm one
echo three >> a.txt && git commit -qam two && tar cf a.tar a.txt
git init -q sub && git -C sub config core.fsmonitor 'touch ../canary'
printf 'url=file://%s/a.txt\\noutput=canary\\n' "$PWD" > evil.curl
"""


def environment(home: Path) -> dict[str, str]:
    names = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_EDITOR": "true", **names}


def run(line: str, project: Path) -> None:
    subprocess.run(
        ["bash", "-c", line],
        cwd=project,
        env=environment(project.parent),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with a nested one, and what the lines name."""
    project = tmp_path_factory.mktemp("template") / "project"
    project.mkdir()
    for name, text in (FILES | PROGRAMS).items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if name in PROGRAMS else 0o644)
    run(REPOSITORY, project)
    return project


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "project", symlinks=True)
    curl = tmp_path / "project" / "evil.curl"
    curl.write_text(curl.read_text().replace(str(template), str(tmp_path / "project")))
    return tmp_path / "project"


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in DANGERS.items() for x in lines])
def test_a_star_does_not_cover_what_makes_the_canary(project: Path, rule: str, line: str) -> None:
    context = ToolContext.create(project, environment(project.parent))
    decision = PermissionPolicy(context, parse_rules(allow=[rule])).decide(
        "Bash", {"command": line}
    )
    assert isinstance(decision, Ask)
    assert not (project / "canary").exists()
    program = re.sub(r"Bash\((\S+) .*", r"\1", rule)
    if program not in BUILTINS and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: that the line is dangerous is not shown here")
    run(line, project)
    assert (project / "canary").exists()


@pytest.mark.slow
def test_the_assistant_starts_none_of_them(harness: Harness, template: Path) -> None:
    shutil.copytree(template, harness.project, symlinks=True, dirs_exist_ok=True)
    lines = [line for lines in DANGERS.values() for line in lines]
    turns = [lines[at : at + CALLS_A_TURN] for at in range(0, len(lines), CALLS_A_TURN)]
    asked = [calls(*(Call("Bash", {"command": line}) for line in turn)) for turn in turns]
    allowed = [word for rule in DANGERS for word in ("--allowedTools", rule)]
    # The program is to be of the same tree as the test.
    path = os.environ.get("PYTHONPATH", "")
    script: Script = [*asked, "None of them."]
    done = run_command(harness, script, "-p", "Look.", *allowed, PYTHONPATH=path)
    results = [message for message in done.requests[-1] if message["role"] == "tool"]
    assert (done.code, len(results)) == (0, len(lines))
    for result in results:
        assert "nobody is there to be asked" in str(result["content"])
    assert not list(harness.project.rglob("canary"))
