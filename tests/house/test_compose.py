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


class Service(BaseModel):
    model_config = ConfigDict(extra="ignore")

    container_name: str = ""
    ports: list[Port] = []
    volumes: list[Volume] = []


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
        timeout=60,
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
        if any("docker.sock" in volume.source for volume in service.volumes)
    ]
    assert holders == ["codex-agent"]


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
    assert {"litellm-mini-agent", "litellm-codex-agent"} <= names
