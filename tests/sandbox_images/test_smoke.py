"""Each image runs its smoke program."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.docker.sidecar_process import docker, execute

pytestmark = pytest.mark.docker

IMAGES = Path(__file__).parents[2] / "sandbox-images"
PROGRAMS = {
    "python": "python/smoke.py",
    "node": "node/smoke.js",
    "go": "go/smoke.go",
    "rust": "rust/smoke.rs",
    "bash": "shell/smoke.sh",
}


@pytest.mark.parametrize("language", PROGRAMS)
async def test_the_image_of_a_language_runs_its_smoke_program(
    client: httpx.AsyncClient, language: str
) -> None:
    code = (IMAGES / PROGRAMS[language]).read_text()
    ran = await execute(client, language, code, limits={"timeout_s": 60})
    assert (ran.status, ran.stdout, ran.stderr) == ("ok", "smoke ok\n", "")


async def test_the_base_image_runs_its_smoke_program() -> None:
    code = (IMAGES / "base" / "smoke.py").read_text()
    confined = ("--rm", "--network=none", "--read-only", "--user=100000:100000")
    said = await docker(
        "run", *confined, "--entrypoint=python3", "mini-agent/sandbox-base:local", "-c", code
    )
    assert said == ["smoke", "ok"]


async def test_every_language_tells_its_version_and_python_its_packages(
    client: httpx.AsyncClient,
) -> None:
    cards = (await client.get("/v1/languages")).json()["languages"]
    assert [card["name"] for card in cards] == ["python", "node", "go", "rust", "bash"]
    assert all(card["available"] and card["version"][0].isdigit() for card in cards)
    assert {"numpy", "pandas", "scipy", "matplotlib", "seaborn"} <= set(cards[0]["packages"])
