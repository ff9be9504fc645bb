"""Each image runs its smoke program."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from codex_sidecar.engine.confinement import ImageCatalog
from mini_agent_protocol.languages import REGISTRY
from tests.docker.runner_client import IMAGE_TAG
from tests.docker.sidecar_process import docker, execute

pytestmark = pytest.mark.docker

IMAGES = Path(__file__).parents[2] / "sandbox-images"
PROGRAMS = {spec.name: f"{spec.image}/smoke{Path(spec.program).suffix}" for spec in REGISTRY}


@pytest.mark.parametrize("language", PROGRAMS)
async def test_the_image_of_a_language_runs_its_smoke_program(
    client: httpx.AsyncClient, language: str
) -> None:
    code = (IMAGES / PROGRAMS[language]).read_text()
    ran = await execute(client, language, code, limits={"timeout_s": 60})
    assert (ran.status, ran.stdout, ran.stderr) == ("ok", "smoke ok\n", "")


@pytest.mark.parametrize("folder", sorted({spec.image for spec in REGISTRY}))
async def test_an_image_makes_nobody_root_and_lets_nobody_change_the_runner(folder: str) -> None:
    searched = "find / -xdev -perm /6000 -type f; find /opt /usr -xdev -perm -o+w ! -type l"
    confined = ("--rm", "--network=none", "--read-only", "--user=100000:100000")
    image = ImageCatalog("mini-agent/sandbox-", IMAGE_TAG).image(_language_of(folder))
    said = await docker(
        "run", *confined, "--entrypoint=sh", image, "-c", f"({searched}) 2>/dev/null; echo searched"
    )
    assert said == ["searched"]


def _language_of(folder: str) -> str:
    return next(spec.name for spec in REGISTRY if spec.image == folder)


async def test_the_base_image_runs_its_smoke_program() -> None:
    code = (IMAGES / "base" / "smoke.py").read_text()
    confined = ("--rm", "--network=none", "--read-only", "--user=100000:100000")
    said = await docker(
        "run", *confined, "--entrypoint=python3", f"mini-agent/sandbox-base:{IMAGE_TAG}", "-c", code
    )
    assert said == ["smoke", "ok"]


async def test_every_language_tells_its_version_and_python_its_packages(
    client: httpx.AsyncClient,
) -> None:
    cards = (await client.get("/v1/languages")).json()["languages"]
    assert [card["name"] for card in cards] == list(PROGRAMS)
    assert all(card["available"] and card["version"][0].isdigit() for card in cards)
    assert {"numpy", "pandas", "scipy", "matplotlib", "seaborn"} <= set(cards[0]["packages"])
