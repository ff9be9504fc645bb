"""Docker that is missing, stopped, forbidden or elsewhere: each has its own way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mini_agent.cli.doctor.engine import check_compose, check_engine
from tests.cli.doctor.conftest import found, program

COMMAND = str(Path(sys.executable).with_name("mini-agent"))
SAYS = """#!/bin/sh
echo {said!r} >&2
echo '{{"ServerVersion": ""}}'
exit 1
"""


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("permission denied while trying to connect to the Docker daemon socket", "usermod -aG"),
        ("Cannot connect to the Docker daemon at unix:///run/d.sock.", "systemctl start docker"),
        ("unable to resolve docker endpoint: context not found", "docker context use default"),
        ("remote error: tls: bad certificate", "DOCKER_CERT_PATH"),
    ],
)
async def test_each_trouble_has_its_own_fix(tmp_path: Path, said: str, fix: str) -> None:
    path = program(tmp_path, "docker", SAYS.format(said=said))
    (check,) = (await found(check_engine, PATH=path)).values()
    assert (check.state, check.detail) == ("fail", said)
    assert fix in check.fix


async def test_an_engine_elsewhere_that_does_not_answer_is_not_started_here(
    tmp_path: Path,
) -> None:
    path = program(tmp_path, "docker", SAYS.format(said="Cannot connect to the Docker daemon"))
    (check,) = (await found(check_engine, PATH=path, DOCKER_HOST="tcp://10.0.0.1:1")).values()
    assert "unset DOCKER_HOST" in check.fix


async def test_without_the_command_there_is_nothing_but_to_install_it(tmp_path: Path) -> None:
    (check,) = (await found(check_engine, PATH=str(tmp_path))).values()
    assert (check.state, check.detail) == ("fail", "there is no docker command")
    assert "apt-get install docker.io" in check.fix


@pytest.mark.parametrize(
    ("version", "state"), [("2.20.3", "fail"), ("2.24.4", "ok"), ("v5.0.1", "ok")]
)
async def test_compose_has_to_be_new_enough(tmp_path: Path, version: str, state: str) -> None:
    path = program(tmp_path, "docker", f"#!/bin/sh\necho {version}\n")
    (check,) = (await found(check_compose, PATH=path)).values()
    assert (check.state, version in check.detail) == (state, True)


def doctor(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "doctor", *arguments],
        env={**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_goes_on_without_an_engine_and_fails_at_the_end(tmp_path: Path) -> None:
    done = doctor("--json", HOME=str(tmp_path))
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], done.stderr) == (1, False, "")
    named = {each["name"]: each for each in told["checks"]}
    assert (named["engine"]["state"], named["python"]["state"]) == ("fail", "ok")
    assert (named["canary"]["state"], named["canary"]["detail"]) == (
        "skipped",
        "no Docker Engine answers",
    )
    assert {each["group"] for each in told["checks"]} == {
        *("docker", "stack", "sandbox", "left over", "model", "assistant")
    }


def test_people_get_a_line_a_check_and_what_to_do(tmp_path: Path) -> None:
    lines = doctor(HOME=str(tmp_path)).stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if " engine " in line)
    assert lines[at].startswith("  FAIL  engine ")
    assert lines[at + 1].lstrip().startswith("-> unset DOCKER_HOST")
    assert " fail, " in lines[-1]
    assert "\x1b" not in "".join(lines)


def test_nothing_is_proved_free_of_leaks_without_an_engine() -> None:
    done = doctor("--leaks")
    assert done.returncode == 1
    assert "nothing is proved" in done.stdout
