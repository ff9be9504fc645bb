"""scripts/engine tells apart what can be wrong with Docker, and says what to do about each."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534
NEEDED = ("bash", "dirname", "id", "sed", "grep", "head", "sort", "cat", "seq", "sleep")

as_root_only = pytest.mark.skipif(
    os.geteuid() != 0,
    reason="only root can play a machine whose daemon is down or user has no right",
)


def check(*command: str, user: int | None = None, **environment: str) -> str:
    """What the script says, looking only; it has to fail."""
    looked = subprocess.run(
        [*command, str(ROOT / "scripts" / "engine"), "--check"],
        env={"PATH": os.environ["PATH"], "HOME": "/tmp"} | environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    assert looked.returncode == 1, looked.stderr
    return looked.stderr


def test_no_docker_command_says_what_to_install(tmp_path: Path) -> None:
    for name in NEEDED:
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    said = check(PATH=str(tmp_path))
    assert "no docker command" in said
    assert "apt-get install docker.io" in said


def test_a_docker_host_that_does_not_answer_is_named() -> None:
    said = check(DOCKER_HOST="tcp://127.0.0.1:1")
    assert "tcp://127.0.0.1:1" in said
    assert "unset DOCKER_HOST" in said


def test_a_context_that_does_not_answer_is_named() -> None:
    said = check(DOCKER_CONTEXT="elsewhere")
    assert "the context elsewhere" in said
    assert "docker context use default" in said


@as_root_only
def test_no_right_to_the_socket_names_the_user_and_the_group() -> None:
    said = check(user=NOBODY)
    assert "no permission on the engine's socket" in said
    assert "usermod -aG docker" in said


@as_root_only
def test_a_daemon_that_is_down_says_how_to_start_it() -> None:
    said = check("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh")
    assert "daemon is not running" in said
    assert "systemctl start docker" in said


def test_every_failure_names_the_way_without_docker() -> None:
    assert "demo --local" in check(DOCKER_HOST="tcp://127.0.0.1:1")
