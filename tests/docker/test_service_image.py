"""The image of sidecar and guard, with both started as compose starts them, on their own."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy

from tests.docker.sidecar_process import HEADERS, TOKEN, execute

pytestmark = [pytest.mark.docker, pytest.mark.stack]

IMAGE = "mini-agent/codex-agent:local"
INSTANCE = "image-test"
PORT = 8077
SOCKET = "/run/engine/engine.sock"
# The reaper of testcontainers is an image to be pulled; the fixtures below remove what they start.
testcontainers_config.ryuk_disabled = True


@pytest.fixture(scope="module")
def volume() -> Iterator[str]:
    engine = DockerClient().client
    made = engine.volumes.create(f"mini-agent-test-{secrets.token_hex(4)}")
    yield made.name
    made.remove()
    engine.close()


@pytest.fixture(scope="module")
def guard(volume: str) -> Iterator[DockerContainer]:
    container = (
        DockerContainer(IMAGE)
        .with_command("codex-guard")
        .with_env("CODEX_GUARD_INSTANCE", INSTANCE)
        .with_volume_mapping("/var/run/docker.sock", "/var/run/docker.sock", "rw")
        .with_volume_mapping(volume, "/run/engine", "rw")
        .with_kwargs(cap_drop=["ALL"], read_only=True, network_mode="none", user="0:10077")
        .waiting_for(LogMessageWaitStrategy("guarding"))
    )
    with container:
        yield container


@pytest.fixture(scope="module")
def service(guard: DockerContainer, volume: str) -> Iterator[DockerContainer]:
    with tempfile.TemporaryDirectory() as folder:
        # Another user has to reach it.
        Path(folder).chmod(0o755)
        (Path(folder) / "token").write_text(TOKEN)
        container = (
            DockerContainer(IMAGE)
            .with_exposed_ports(PORT)
            .with_env("CODEX_SIDECAR_INSTANCE", INSTANCE)
            .with_env("CODEX_SIDECAR_DOCKER_SOCKET", SOCKET)
            .with_env("CODEX_SIDECAR_WARM", "{}")
            .with_volume_mapping(volume, "/run/engine", "ro")
            .with_volume_mapping(folder, "/run/mini-agent", "ro")
            .with_tmpfs_mount("/tmp", "size=64m")
            .with_kwargs(cap_drop=["ALL"], read_only=True)
            .waiting_for(HttpWaitStrategy(PORT, "/readyz"))
        )
        with container:
            yield container


async def test_it_runs_a_snippet_without_root_without_capabilities_on_a_read_only_disk(
    service: DockerContainer,
) -> None:
    url = f"http://127.0.0.1:{service.get_exposed_port(PORT)}"
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as client:
        done = await execute(client, "python", "print(6 * 7)")
    assert done.stdout == "42\n"
    assert service.exec(["id", "-u"]).output == b"10077\n"


def test_the_sidecar_cannot_reach_the_engine_but_through_the_guard(
    service: DockerContainer,
) -> None:
    listed = service.exec(["find", "/run", "/var/run/", "-type", "s"])
    assert set(listed.output.split()) == {SOCKET.encode(), b"/var" + SOCKET.encode()}
    assert service.exec(["rm", SOCKET]).exit_code != 0


def test_nobody_but_the_sidecar_may_speak_to_the_guard(guard: DockerContainer) -> None:
    shown = guard.exec(["stat", "-c", "%a %u %g", SOCKET, "/run/engine"])
    assert shown.output.split(b"\n")[:2] == [b"660 0 10077", b"750 0 10077"]


def test_it_holds_no_model_library_and_no_compiler(service: DockerContainer) -> None:
    listed = service.exec(["sh", "-c", "ls /opt/venv/lib/python3*/site-packages; ls /usr/bin"])
    assert not re.findall(rb"^(litellm|openai|gcc|pip3?|curl)$", listed.output, re.MULTILINE)
