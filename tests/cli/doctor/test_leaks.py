"""What is left of ours in the engine."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator

import pytest

from mini_agent.cli.doctor.check import Check
from mini_agent.cli.doctor.leaks import check_leaks, require_no_leaks
from tests.cli.doctor.conftest import found
from tests.docker.sidecar_process import docker

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine")]
IMAGE = "mini-agent/sandbox-shell:local"


@pytest.fixture
async def name() -> AsyncIterator[str]:
    """A name for a container, a network and a volume, which are gone afterwards."""
    name = f"doctor-{secrets.token_hex(4)}"
    yield name
    for kind in (("rm", "-f"), ("network", "rm", "-f"), ("volume", "rm", "-f")):
        await docker(*kind, name)


async def stopped_container(name: str, *labels: str) -> None:
    flags = [word for label in labels for word in ("--label", label)]
    await docker("create", "--name", name, "--network", "none", *flags, IMAGE)


async def test_a_sandbox_past_its_deadline_is_a_leak_with_what_removes_it(name: str) -> None:
    await stopped_container(name, "mini-agent.sandbox=1", "mini-agent.deadline=1")
    check = (await found(check_leaks))["left-over sandboxes"]
    assert (check.state, name in check.fix) == ("fail", True)
    assert check.fix.startswith("docker rm -f ")


async def test_that_of_another_sidecar_is_told_of_and_fails_the_proof(name: str) -> None:
    labels = [
        "mini-agent.sandbox=1",
        f"mini-agent.instance={name}",
        f"mini-agent.deadline={int(time.time()) + 600}",
    ]
    await stopped_container(name, *labels)
    ordinary = (await found(check_leaks))["left-over sandboxes"]
    proof = (await found(require_no_leaks))["left-over sandboxes"]
    # Other tests' sandboxes come and go on this engine, some of them past their time.
    assert ordinary.state in ("warn", "fail")
    assert proof.state == "fail"
    assert name in ordinary.detail + ordinary.fix


async def left_of(project: str) -> dict[str, Check]:
    checks = await found(require_no_leaks, COMPOSE_PROJECT_NAME=project)
    return {key: checks[f"left-over {key}"] for key in ("containers", "networks", "volumes")}


async def test_what_a_stack_that_is_down_left_is_a_leak_and_its_data_are_not(name: str) -> None:
    label = f"com.docker.compose.project={name}"
    kept = "com.docker.compose.volume=mini-agent-runs"
    assert {each.detail for each in (await left_of(name)).values()} == {"0"}
    await stopped_container(name, label)
    await docker("network", "create", "--internal", "--label", label, name)
    await docker("volume", "create", "--label", label, "--label", kept, name)
    left = await left_of(name)
    assert [each.state for each in left.values()] == ["fail", "fail", "ok"]
    assert left["networks"].fix == f"docker network rm {name}"
    assert left["volumes"].detail == "0; 1 are kept on purpose (runs, token)"
