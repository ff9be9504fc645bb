"""`code_interpreter` behind LiteLLM's Proxy, asked with OpenAI's client, is run by the sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.sidecar_process import TOKEN, require_engine, sidecar
from tests.sidecar.opensandbox.scripted_model import coder
from tests.stock.conftest import ROOT, Program
from tests.stock.serving import Proxy, proxy

pytestmark = pytest.mark.docker

CONFIG = ROOT / "docs" / "proxy" / "code-interpreter.yaml"
CLIENT = """
import os
from openai import OpenAI
client = OpenAI(
    base_url=os.environ["PROXY"] + "/v1", api_key=os.environ["PROXY_KEY"], max_retries=0
)
asked = "Compress the runs of aaabbc."
tools = [{"type": "code_interpreter", "container": {"type": "auto"}}]
"""


@pytest.fixture(scope="module")
def serving(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    require_engine()
    with (
        coder() as model,
        sidecar(tmp_path_factory.mktemp("sidecar")) as running,
        proxy(
            stock,
            tmp_path_factory.mktemp("proxy"),
            CONFIG,
            OPENAI_API_BASE=model,
            OPENAI_API_KEY="none",
            OPEN_SANDBOX_API_BASE=f"{running.url}/v1",
            OPEN_SANDBOX_API_KEY=TOKEN,
        ) as served,
    ):
        yield served


@pytest.mark.parametrize(
    ("program", "shown"),
    [
        (
            """
messages = [{"role": "user", "content": asked}]
done = client.chat.completions.create(model="coder", messages=messages, tools=tools)
print(done.choices[0].message.content)
""",
            "It is a3b2c1.\n",
        ),
        (
            """
done = client.responses.create(model="coder", input=asked, tools=tools)
ran = next(item for item in done.output if item.type == "code_interpreter_call")
print(ran.status, ran.outputs[0].logs, done.output_text, sep="|")
""",
            "completed|a3b2c1\n|It is a3b2c1.\n",
        ),
    ],
)
def test_a_client_gets_what_was_computed(
    printed: Program, serving: Proxy, program: str, shown: str
) -> None:
    assert printed(CLIENT + program, PROXY=serving.url, PROXY_KEY=serving.key) == shown
