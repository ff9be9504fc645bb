"""The sidecar's own image, started as compose starts it, on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

from tests.docker.engine_here import HEADERS, TOKEN, execute

pytestmark = [pytest.mark.docker, pytest.mark.stack]

IMAGE = "mini-agent/codex-agent:local"
PORT = 8077
# The reaper of testcontainers is an image to be pulled; the fixture below removes what it starts.
testcontainers_config.ryuk_disabled = True


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerContainer]:
    folder: Path = tmp_path_factory.mktemp("token")
    (folder / "token").write_text(TOKEN)
    container = (
        DockerContainer(IMAGE)
        .with_exposed_ports(PORT)
        .with_env("CODEX_SIDECAR_INSTANCE", "image-test")
        .with_volume_mapping("/var/run/docker.sock", "/var/run/docker.sock", "rw")
        .with_volume_mapping(str(folder), "/run/mini-agent", "ro")
        .with_tmpfs_mount("/tmp", "size=64m")
        .with_kwargs(cap_drop=["ALL"], read_only=True)
        .waiting_for(HttpWaitStrategy(PORT, "/readyz"))
    )
    with container:
        yield container


async def test_it_runs_a_snippet_without_capabilities_on_a_read_only_disk(
    service: DockerContainer,
) -> None:
    url = f"http://127.0.0.1:{service.get_exposed_port(PORT)}"
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as client:
        done = await execute(client, "python", "print(6 * 7)")
    assert done.stdout == "42\n"


def test_it_holds_no_model_library_and_no_compiler(service: DockerContainer) -> None:
    listed = service.exec(["sh", "-c", "ls /opt/venv/lib/python3*/site-packages; ls /usr/bin"])
    assert not re.findall(rb"^(litellm|openai|gcc|pip3?|curl)$", listed.output, re.MULTILINE)
