"""A server that answers a listing wrongly costs its own tools and one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding import odd_server
from tests.coding.harness import Harness

LOST = [*odd_server.TOOLS, *odd_server.TEMPLATES, "start null"]
KEPT = ("cursors in a circle", "a cursor that is a number", "templates in a circle")
for kept in ("names", *KEPT):
    LOST.remove(kept)


async def call_good(harness: Harness, kind: str) -> str:
    """Call the server's tool; return what the model is told."""
    harness.file("a.txt", "old\n")
    command = f"{sys.executable} {Path(odd_server.__file__)} '{kind}'"
    script = (
        calls_reply(scripted_call("good"), scripted_call("Read", file_path="a.txt")),
        text_reply("Done."),
    )
    with ScriptedModel(*script) as model:
        outcome = await harness.run_prompt(
            model, "Go.", mcp=("builtin", command), permission_mode="bypassPermissions"
        )
    assert outcome.answer == "Done."
    messages = model.requests[-1].messages
    assert "old" in str(messages[-1]["content"])
    return str(messages[-2]["content"])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", LOST)
async def test_a_wrong_listing_costs_the_servers_tools(harness: Harness, kind: str) -> None:
    assert "there is no tool 'good'" in await call_good(harness, kind)
    (line,) = harness.observer.warnings
    assert "\n" not in line


async def test_an_odd_name_costs_nothing(harness: Harness) -> None:
    assert await call_good(harness, "names") == "called"
    assert harness.observer.warnings == []


async def test_a_server_that_prints_can_be_used_and_costs_a_line(harness: Harness) -> None:
    remark = "it prints on standard output what is no message: 'log: "
    assert await call_good(harness, "prints") == "called"
    (line,) = harness.observer.warnings
    assert remark in line


@pytest.mark.parametrize("kind", KEPT)
async def test_a_cursor_that_does_not_move_ends_the_listing(harness: Harness, kind: str) -> None:
    assert await call_good(harness, kind) == "called"
    assert harness.observer.warnings == []


async def test_a_listing_that_fails_later_costs_nothing(harness: Harness) -> None:
    assert await call_good(harness, "second listing") == "called"
    assert harness.observer.warnings == []


async def test_what_a_server_prints_leaves_no_trace_of_the_sdk(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    await call_good(harness, "prints")
    assert caplog.text == ""
