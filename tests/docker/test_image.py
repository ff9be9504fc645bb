"""The sidecar's own image, as compose builds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.sidecar_process import docker

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def image() -> str:
    compose = ("compose", "-f", str(ROOT / "compose.exec.yml"))
    await docker(*compose, "build", "--quiet")
    return "mini-agent/codex-agent:local"


async def test_neither_the_library_nor_what_it_stands_on_is_in_it(image: str) -> None:
    code = (
        "import importlib.util as util, codex_sidecar.app, mini_agent_protocol.languages\n"
        "print([name for name in ('mini_agent', 'litellm', 'docker', 'openai', 'httpx', 'mcp')"
        " if util.find_spec(name)])"
    )
    said = await docker("run", "--rm", "--network=none", image, "python", "-c", code)
    assert said == ["[]"]


async def test_it_refuses_to_start_where_it_can_have_no_token(image: str) -> None:
    confined = ("--rm", "--network=none", "--read-only", "--cap-drop=ALL")
    said = await docker("run", *confined, image, "sh", "-c", "codex-sidecar 2>&1; echo $?")
    assert " ".join(said).startswith("codex-sidecar cannot start: no token: /run/mini-agent/token")
    assert said[-1] == "2"
