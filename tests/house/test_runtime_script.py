"""scripts/runtime: what to do about a runtime that the engine has not, and how gVisor is added."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "runtime"
# Lists what it was told of once its daemon has been told to look.
DOCKER = """#!/bin/sh
echo runc
[ -e "{folder}/reloaded" ] && echo runsc
exit 0
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]

as_root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may register a runtime")


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    return tmp_path / "daemon.json"


@pytest.fixture
def run(tmp_path: Path, configuration: Path) -> Iterator[Run]:
    """Runs the script on a machine with an engine, its daemon and gVisor, all of them scripted."""
    _program(tmp_path / "docker", DOCKER.format(folder=tmp_path))
    _program(tmp_path / "runsc", "#!/bin/sh\n")
    daemon = subprocess.Popen(
        ["sh", "-c", f"trap 'touch {tmp_path}/reloaded' HUP; while :; do sleep 0.05; done"]
    )
    (tmp_path / "docker.pid").write_text(f"{daemon.pid}\n")

    def runtime(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "MINI_AGENT_DAEMON_JSON": str(configuration),
                "MINI_AGENT_DOCKER_PID": str(tmp_path / "docker.pid"),
            },
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    yield runtime
    daemon.kill()
    daemon.wait()


def test_a_runtime_that_is_there_needs_no_word(run: Run) -> None:
    ran = run("--check", "runc")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_runtime_that_is_missing_is_named_with_those_that_are_not(run: Run) -> None:
    ran = run("crun")
    assert ran.returncode == 1
    assert "the engine has no runtime crun; it has: runc" in ran.stderr
    assert "docs/runtimes.md" in ran.stderr


def test_looking_for_gvisor_changes_nothing_and_names_the_command(
    run: Run, configuration: Path
) -> None:
    ran = run("--check", "runsc")
    assert ran.returncode == 1
    assert "scripts/runtime runsc" in ran.stderr
    assert not configuration.exists()


@as_root_only
def test_gvisor_is_added_to_what_the_daemon_was_told_before(run: Run, configuration: Path) -> None:
    before = {"log-driver": "local", "runtimes": {"other": {"path": "/usr/bin/other"}}}
    configuration.write_text(json.dumps(before))
    ran = run("runsc")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(configuration.read_text())
    added = told["runtimes"].pop("runsc")
    assert told == before
    assert added["runtimeArgs"] == ["--network=none"]


@as_root_only
def test_a_configuration_that_is_not_json_is_left_as_it_is(run: Run, configuration: Path) -> None:
    configuration.write_text("{ // mine\n}")
    ran = run("runsc")
    assert ran.returncode == 1
    assert "is not a JSON object" in ran.stderr
    assert configuration.read_text() == "{ // mine\n}"


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
