"""The Python of docs/provider.md, as printed."""

from __future__ import annotations

import re

import pytest

from mini_agent.testing import ScriptedServer, call
from tests.stock.conftest import ROOT, Program

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs" / "provider.md").read_text(), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("program", BLOCKS, ids=["first", "streaming", "router"])
def test_what_the_page_shows_gives_an_answer(printed: Program, program: str) -> None:
    computes = call("exec_python", code="print(97, 101, 103, 107, 109, 113)")
    with ScriptedServer([computes, "97 to 113."]) as server:
        said = printed(program, OLLAMA_API_BASE=server.url)
    assert "97 to 113." in said
