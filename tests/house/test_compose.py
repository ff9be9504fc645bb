"""The compose files: what they publish, and who gets the engine's socket."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

ROOT = Path(__file__).parents[2]
FILES = ("compose.agents.yml", "compose.exec.yml")


class Port(BaseModel):
    host_ip: str = ""
    published: str = ""


class Volume(BaseModel):
    source: str = ""
    target: str = ""
    read_only: bool = False


class Dependency(BaseModel):
    condition: str


class Logging(BaseModel):
    options: dict[str, str] = {}


class Service(BaseModel):
    model_config = ConfigDict(extra="ignore")

    container_name: str = ""
    user: str = ""
    ports: list[Port] = []
    volumes: list[Volume] = []
    networks: dict[str, None] | None = None
    network_mode: str = ""
    environment: dict[str, str | None] = {}
    depends_on: dict[str, Dependency] = {}
    cap_add: list[str] = []
    cap_drop: list[str] = []
    security_opt: list[str] = []
    privileged: bool = False
    read_only: bool = False
    mem_limit: str = ""
    restart: str = ""
    pids_limit: int = 0
    logging: Logging | None = None


class Composition(BaseModel):
    services: dict[str, Service]


def composition(file: str) -> Composition:
    docker = shutil.which("docker")
    assert docker, "the docker command is needed: scripts/engine installs it"
    shown = subprocess.run(
        [docker, "compose", "-f", file, "--profile", "demo", "config", "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=150,
    )
    return Composition.model_validate(json.loads(shown.stdout))


@pytest.mark.parametrize("file", FILES)
def test_every_published_port_is_on_loopback(file: str) -> None:
    services = composition(file).services.values()
    assert {port.host_ip for service in services for port in service.ports} == {"127.0.0.1"}


@pytest.mark.parametrize("file", FILES)
def test_one_service_alone_mounts_the_engines_socket(file: str) -> None:
    holders = [
        name
        for name, service in composition(file).services.items()
        if any("docker.sock" in volume.source + volume.target for volume in service.volumes)
    ]
    assert holders == ["codex-guard"]


@pytest.mark.parametrize("file", FILES)
def test_the_guards_socket_is_shared_with_the_sidecar_alone(file: str) -> None:
    sharing = {
        (name, volume.read_only)
        for name, service in composition(file).services.items()
        for volume in service.volumes
        if volume.source == "codex-engine"
    }
    assert sharing == {("codex-guard", False), ("codex-agent", True)}


@pytest.mark.parametrize("file", FILES)
def test_the_guard_is_on_no_network_and_publishes_nothing(file: str) -> None:
    guard = composition(file).services["codex-guard"]
    assert (guard.network_mode, guard.networks, guard.ports) == ("none", None, [])


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", ["codex-guard", "codex-agent"])
def test_guard_and_sidecar_have_no_right_that_they_do_not_need(file: str, name: str) -> None:
    service = composition(file).services[name]
    assert (service.cap_drop, service.cap_add, service.privileged) == (["ALL"], [], False)
    assert service.security_opt == ["no-new-privileges:true"]
    assert service.read_only
    assert int(service.mem_limit) <= 512 << 20
    assert 0 < service.pids_limit <= 128


@pytest.mark.parametrize("file", FILES)
def test_the_sidecar_is_the_unprivileged_user_of_its_image_and_waits_for_the_guard(
    file: str,
) -> None:
    sidecar = composition(file).services["codex-agent"]
    assert sidecar.user == ""
    assert "\nUSER 10077:10077\n" in (ROOT / "sidecar" / "Dockerfile").read_text()
    assert sidecar.depends_on["codex-guard"].condition == "service_healthy"


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("setting", ["INSTANCE", "IMAGE_PREFIX", "RUNTIME"])
def test_guard_and_sidecar_are_told_the_same(file: str, setting: str) -> None:
    services = composition(file).services
    told = services["codex-agent"].environment[f"CODEX_SIDECAR_{setting}"]
    assert services["codex-guard"].environment[f"CODEX_GUARD_{setting}"] == told


def test_whatever_serves_comes_back_also_after_the_engine_was_killed() -> None:
    services = composition("compose.agents.yml").services.values()
    assert {service.restart for service in services if service.container_name} == {"always"}


@pytest.mark.parametrize("file", FILES)
def test_what_a_service_says_does_not_fill_the_disk(file: str) -> None:
    for name, service in composition(file).services.items():
        assert service.logging, name
        assert service.logging.options.keys() == {"max-size", "max-file"}, name


def test_the_shim_can_write_the_log_of_its_runs_and_nothing_else() -> None:
    shim = composition("compose.agents.yml").services["mini-agent"]
    writable = {volume.target for volume in shim.volumes if not volume.read_only}
    assert shim.read_only
    assert writable == {shim.environment["MINI_AGENT_RUNS_DIR"]}


def test_another_place_of_the_engines_socket_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_SOCKET", "/run/user/1000/docker.sock")
    guard = composition("compose.exec.yml").services["codex-guard"]
    places = {volume.source: volume.target for volume in guard.volumes}
    assert places["/run/user/1000/docker.sock"] == "/var/run/docker.sock"


def test_one_file_alone_names_the_engines_socket() -> None:
    naming = [
        path.name for path in ROOT.glob("**/*compose*.yml") if "docker.sock" in path.read_text()
    ]
    assert naming == ["compose.exec.yml"]


def test_the_whole_stack_does_not_publish_the_sidecar() -> None:
    assert composition("compose.agents.yml").services["codex-agent"].ports == []


def test_the_containers_have_the_names_people_configure() -> None:
    names = {
        service.container_name for service in composition("compose.agents.yml").services.values()
    }
    assert {"litellm-mini-agent", "litellm-codex-agent", "litellm-codex-guard"} <= names
