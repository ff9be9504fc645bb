"""What the doctor says of Docker, and that it notices when a limit or a wall is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mini_agent.cli.doctor.engine import (
    REQUIRED,
    check_compose,
    check_disk,
    check_engine,
    check_images,
    check_limits,
)
from mini_agent.cli.doctor.sandbox import check_confinement
from tests.cli.doctor.conftest import found, program, states
from tests.docker import sidecar_process
from tests.docker.runner_client import IMAGE_TAG
from tests.docker.sidecar_process import docker

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine")]

# A stack that may be up has walls of its own.
NO_SIDECAR = {"MINI_AGENT_SIDECAR_URL": "http://127.0.0.1:9"}
# Runs the real command without the arguments that match, each with its value.
WITHOUT = """#!/usr/bin/env python3
import os, sys
given, kept = sys.argv[1:], []
while given:
    word = given.pop(0)
    if word in {names!r}:
        given.pop(0)
    else:
        kept.append(word)
os.execv({docker!r}, [{docker!r}, *kept])
"""


def without(folder: Path, *names: str) -> str:
    docker = shutil.which("docker")
    return program(folder, "docker", WITHOUT.format(names=names, docker=docker))


async def test_the_engine_of_this_machine_is_well() -> None:
    checks = {
        **await found(check_engine),
        **await found(check_compose),
        **await found(check_limits),
    }
    assert states(checks) == {"engine": "ok", "compose": "ok", "limits": "ok"}
    assert "cgroup v" in checks["engine"].detail
    assert (await found(check_disk))["disk"].state in ("ok", "warn")


async def test_limits_that_do_not_hold_are_noticed(tmp_path: Path) -> None:
    lenient = without(tmp_path, "--memory", "--memory-swap", "--pids-limit", "--cpus")
    (check,) = (await found(check_limits, PATH=lenient)).values()
    assert (check.state, check.detail) == ("fail", "not bounded: memory, processes, cpu")
    assert "cgroup v2" in check.fix


async def test_the_canary_lives_in_a_container_of_this_engine() -> None:
    checks = await found(check_confinement, **NO_SIDECAR)
    assert states(checks) == dict.fromkeys(("no network", "no root", "memory", "deadline"), "ok")


async def test_the_canary_dies_where_walls_are_missing(tmp_path: Path) -> None:
    walls = ("--network", "--dns", "--user", "--cap-drop", "--memory", "--memory-swap")
    checks = await found(check_confinement, PATH=without(tmp_path, *walls), **NO_SIDECAR)
    failed = [name for name, check in checks.items() if check.state == "fail"]
    assert failed == ["no network", "no root", "memory"]


async def test_the_canary_is_tried_through_the_sidecar_that_is_up(tmp_path: Path) -> None:
    with sidecar_process.sidecar(tmp_path) as running:
        checks = await found(
            check_confinement,
            MINI_AGENT_SIDECAR_URL=running.url,
            MINI_AGENT_SIDECAR_TOKEN=sidecar_process.TOKEN,
        )
    assert set(states(checks).values()) == {"ok"}
    assert all("in the sidecar" in check.detail for check in checks.values())


async def test_images_that_are_not_built_are_named_with_what_builds_them() -> None:
    checks = await found(check_images, SANDBOX_IMAGE_PREFIX="nobody/has-")
    assert checks["sandbox images"].state == "fail"
    assert "nobody/has-rust:local" in checks["sandbox images"].detail
    assert checks["sandbox images"].fix.startswith("sandbox-images/build python node go rust shell")


async def test_an_image_of_a_language_that_nobody_has_to_have_is_no_failure(tmp_path: Path) -> None:
    prefix = f"test-{tmp_path.name}/sandbox-"
    there = [f"{prefix}{folder}:some-tag" for folder in REQUIRED]
    for image in there:
        await docker("tag", f"mini-agent/sandbox-base:{IMAGE_TAG}", image)
    names = {"SANDBOX_IMAGE_PREFIX": prefix, "SANDBOX_IMAGE_TAG": "some-tag"}
    checks = await found(check_images, **names)
    await docker("image", "rm", *there)
    assert (checks["sandbox images"].state, checks["sandbox images"].fix) == (
        "warn",
        "sandbox-images/build c php ruby, or: make images",
    )


async def test_images_that_are_built_are_listed() -> None:
    assert states(await found(check_images))["sandbox images"] == "ok"
