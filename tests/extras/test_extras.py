"""Each extra, installed as a user does: it resolves, and it is used."""

from __future__ import annotations

import re
import socket
import subprocess
import time
import tomllib
from pathlib import Path

import httpx
import pytest

from mini_agent.testing import ScriptedServer, call
from tests.extras.installed import install, printed_by, would_install
from tests.extras.redis_here import redis_server
from tests.ollama.command import ROOT

pytestmark = pytest.mark.timeout(500)

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
# Inspect asks for an older fsspec than our pins have; tests/integrations installs it without them.
PINNED = [extra for extra in EXTRAS if extra != "inspect"]
SCIENCE = {
    "numpy": "import numpy as np\nprint(np.arange(4).sum())",
    "pandas": "import pandas as pd\nprint(pd.Series([1, 2, 3]).sum())",
    "scipy": "from scipy.optimize import brentq\nprint(round(brentq(lambda x: x - 6, 0, 10)))",
    "matplotlib": (
        "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n"
        "plt.plot([1, 2])\nplt.savefig('a.png')\n"
        "print(6 if open('a.png', 'rb').read(4) == b'\\x89PNG' else 0)"
    ),
    "seaborn": (
        "import matplotlib\nmatplotlib.use('Agg')\nimport seaborn as sns\n"
        "print(len(sns.barplot(x=list('abcdef'), y=range(6)).patches))"
    ),
    "scikit-learn": (
        "from sklearn.linear_model import LinearRegression\n"
        "model = LinearRegression().fit([[1], [2], [3]], [2, 4, 6])\n"
        "print(round(model.predict([[3]])[0]))"
    ),
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("extras"), *PINNED)


def test_every_extra_says_in_the_docs_what_it_is_for() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [extra for extra in EXTRAS if f"| `{extra}` |" not in readme] == []


def test_the_extras_of_a_checkout_can_be_installed_with_pip() -> None:
    assert "mini-agent" in would_install(".[mini_agent,images]")


def test_every_package_of_science_has_a_program_here() -> None:
    assert sorted(SCIENCE) == sorted(EXTRAS["science"])


@pytest.mark.parametrize("package", SCIENCE)
def test_a_program_of_a_model_can_use_the_packages_of_science(
    python: Path, package: str, tmp_path: Path
) -> None:
    program = (
        "import asyncio\nfrom mini_agent import LocalMCPInvoker\n"
        f"call = {{'id': '1', 'type': 'function', 'function': {{'name': 'exec_python', "
        f"'arguments': {{'code': {SCIENCE[package]!r}, 'timeout_s': 120}}}}}}\n"
        "output = asyncio.run(LocalMCPInvoker().call_openai_tool(call))\n"
        "print(output.rc, output.stdout.strip(), output.stderr[-2000:] if output.rc else '')"
    )
    assert printed_by(python, program, MPLCONFIGDIR=str(tmp_path)).strip() == "0 6"


def test_images_makes_a_part_of_a_picture(python: Path, album: Path) -> None:
    program = (
        "from mini_agent import with_images\n"
        "asked = [{'role': 'user', 'content': 'cat.png'}]\n"
        f"(shown,) = with_images(asked, folder={str(album)!r})\n"
        "print([part['type'] for part in shown['content']])"
    )
    assert printed_by(python, program) == "['text', 'image_url']\n"


def test_redis_cache_answers_the_same_question_from_redis(python: Path, tmp_path: Path) -> None:
    program = (
        "from mini_agent import AgentConfig, LocalMCPInvoker, run_mcp_mini_agent\n"
        "for _ in range(2):\n"
        "    result = run_mcp_mini_agent([{'role': 'user', 'content': 'What is 6 * 7?'}],\n"
        "                                LocalMCPInvoker(), AgentConfig(model='ollama/any'))\n"
        "    print(result.final_answer)"
    )
    with redis_server(tmp_path) as url, ScriptedServer(["It is 42."]) as server:
        said = printed_by(python, program, MINI_AGENT_REDIS_URL=url, OLLAMA_API_BASE=server.url)
    assert said == "It is 42.\nIt is 42.\n"


def test_mini_agent_brings_the_http_endpoint(python: Path) -> None:
    with (
        ScriptedServer([call("echo", text="hi"), "It said hi."]) as server,
        socket.socket() as free,
    ):
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        host, _, port = address.partition(":")
        uvicorn = [str(python.parent / "uvicorn"), "mini_agent.agent_proxy:app"]
        with subprocess.Popen(
            [*uvicorn, "--host", host, "--port", port, "--log-level", "error"],
            env={"OLLAMA_API_BASE": server.url, "PATH": "/usr/bin"},
        ) as serving:
            try:
                said = answer_of(f"http://{address}", serving)
            finally:
                serving.terminate()
    assert said == "It said hi."


def answer_of(url: str, serving: subprocess.Popen[bytes]) -> str:
    """What an agent at `url`, which may still be starting, answers."""
    asked = {"messages": [{"role": "user", "content": "Hi."}], "model": "ollama/any"}
    until = time.monotonic() + 120
    while True:
        try:
            said = httpx.post(
                f"{url}/agent/run", json={**asked, "tool_backend": "echo"}, timeout=90
            )
        except httpx.ConnectError:
            assert serving.poll() is None, f"the endpoint ended with {serving.returncode}"
            assert time.monotonic() < until, "the endpoint did not come up"
            time.sleep(0.1)
        else:
            return str(said.json().get("final_answer", said.text))


def test_demo_serves_the_demo_model(python: Path) -> None:
    program = (
        "from mini_agent.cli.demo import serve_demo_model\n"
        "with serve_demo_model() as address:\n    print(address)"
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1\n", printed_by(python, program))
