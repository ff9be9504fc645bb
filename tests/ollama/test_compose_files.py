"""Ollama's compose files, as compose reads them, alone and included."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from pydantic import BaseModel

from tests.ollama.command import ROOT

FRAGMENT = ROOT / "ollama" / "compose.ollama.yml"
Given = Mapping[str, str]
NOTHING: Given = MappingProxyType({})
OURS = ("OLLAMA_IMAGE", "OLLAMA_TAG", "OLLAMA_DATA_DIR", "OLLAMA_PORT", "MODELS")


class Volume(BaseModel):
    source: str
    target: str


class Service(BaseModel):
    image: str
    volumes: list[Volume]
    environment: dict[str, str]
    deploy: dict[str, object] = {}


class Composition(BaseModel):
    services: dict[str, Service]


def composition(*files: Path, folder: Path = ROOT, given: Given = NOTHING) -> Composition:
    docker = shutil.which("docker")
    assert docker, "the docker command is needed: scripts/engine installs it"
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    shown = subprocess.run(
        [docker, "compose", "--project-directory", str(folder), "-p", "config"]
        + [word for file in files for word in ("-f", str(file))]
        + ["config", "--format", "json"],
        env={**inherited, **given},
        capture_output=True,
        text=True,
        check=True,
        timeout=150,
    )
    return Composition.model_validate_json(shown.stdout)


def sources(service: Service) -> list[str]:
    return [volume.source for volume in service.volumes]


@pytest.fixture
def including(tmp_path: Path) -> Path:
    file = tmp_path / "compose.yml"
    stanza = f"include: [{{path: {FRAGMENT}, project_directory: {ROOT}}}]\n"
    file.write_text(stanza, encoding="utf-8")
    return file


def test_paths_start_at_the_root_when_the_file_is_included(including: Path) -> None:
    services = composition(including, folder=including.parent).services
    assert sources(services["ollama"]) == [str(ROOT / "local" / "ollama")]
    assert sources(services["ollama-pull"]) == [str(ROOT / "ollama" / "pull")]


def test_paths_start_at_the_root_when_the_file_is_used_alone() -> None:
    services = composition(FRAGMENT).services
    assert sources(services["ollama"]) == [str(ROOT / "local" / "ollama")]
    assert sources(services["ollama-pull"]) == [str(ROOT / "ollama" / "pull")]


def test_server_and_job_are_the_same_pinned_image() -> None:
    images = {service.image for service in composition(FRAGMENT).services.values()}
    assert len(images) == 1
    name, _, tag = images.pop().partition(":")
    assert name == "ollama/ollama"
    assert tag.replace(".", "").isdigit()


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ({"OLLAMA_TAG": "0.9.9"}, "ollama/ollama:0.9.9"),
        ({"OLLAMA_IMAGE": "mirror/ollama:own"}, "mirror/ollama:own"),
    ],
)
def test_the_image_can_be_chosen(given: dict[str, str], image: str) -> None:
    services = composition(FRAGMENT, given=given).services
    assert {service.image for service in services.values()} == {image}


def test_the_job_gets_the_stack_s_model() -> None:
    given = {"LITELLM_DEFAULT_CODE_MODEL": "ollama/m", "MODELS": "a b"}
    services = composition(FRAGMENT, given=given).services
    environment = services["ollama-pull"].environment
    assert environment["LITELLM_DEFAULT_CODE_MODEL"] == "ollama/m"
    assert environment["MODELS"] == "a b"
    assert environment["OLLAMA_HOST"] == "http://ollama:11434"


def test_the_gpu_file_reserves_a_gpu_and_the_other_does_not() -> None:
    plain = composition(FRAGMENT).services["ollama"]
    with_gpu = composition(FRAGMENT, ROOT / "ollama" / "compose.gpu.yml").services["ollama"]
    assert plain.deploy == {}
    assert "'driver': 'nvidia'" in str(with_gpu.deploy)
