"""The text tools."""

from __future__ import annotations

import pytest

from mini_agent.testing.scripted import ScriptedSandbox
from mini_agent.tools.catalog import compress_runs
from mini_agent.tools.invoker import error_output, text_output
from mini_agent.tools.local import LocalMCPInvoker
from mini_agent.tools.sandbox import SandboxInvoker


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("aaabbc", "a3b2c1"),
        ("aabbccddeeffgg", "a2b2c2d2e2f2g2"),
        ("", ""),
        ("a", "a1"),
        ("aba", "a1b1a1"),
        ("ééz", "é2z1"),
        ("x" * 12, "x12"),
        ("  \n", " 2\n1"),
    ],
)
def test_runs_are_written_as_character_and_count(text: str, encoded: str) -> None:
    assert compress_runs(text) == encoded


@pytest.mark.parametrize("invoker", [LocalMCPInvoker(), SandboxInvoker(ScriptedSandbox())])
async def test_every_invoker_that_runs_programs_has_the_text_tools(
    invoker: LocalMCPInvoker | SandboxInvoker,
) -> None:
    runs = {"name": "compress_runs", "arguments": '{"s": "aaabbc"}'}
    research = {"name": "research_echo", "arguments": '{"query": "rle"}'}
    wrong = {"name": "compress_runs", "arguments": '{"s": 7}'}
    assert await invoker.call_openai_tool({"function": {**runs}}) == text_output("a3b2c1")
    assert await invoker.call_openai_tool({"function": {**research}}) == text_output(
        "EVIDENCE: rle"
    )
    assert await invoker.call_openai_tool({"function": {**wrong}}) == error_output(
        "the argument s must be text, not 7"
    )
