"""The page in use: by keyboard alone, in the dark, on a narrow screen, by a screen reader."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mini_agent.agent.replay import Bundle
from mini_agent.remote.schema import AgentRunResponse
from tests.shim.scripted import ScriptedModel, ScriptedSidecar, SilentModel, text_turn
from tests.shim.web.appearance import FAINT
from tests.shim.web.shim_server import (
    calling_model,
    run_url,
    sandbox,
    shim,
    start_run,
)
from tests.shim.web.tab import CONTROL, Tab

ECHOED = {"tool_backend": "echo"}
NARROW = 360


def told(count: int = 1) -> ScriptedModel:
    """A model that calls a tool and answers, so many times."""
    answer = text_turn(
        "## Sums\n\nIt is `42`, [as said](https://example.org).\n\n```python\nprint(42)\n```"
    )
    return ScriptedModel(
        [each for _ in range(count) for each in (calling_model("echo", "6*7"), answer)]
    )


def test_everything_can_be_done_by_keyboard(page: Tab) -> None:
    with sandbox(ScriptedSidecar()) as settings, shim(SilentModel(), settings) as address:
        page.goes_to(f"{address}/#/")
        page.sees("No runs yet.")
        page.tabs_to("New run")
        page.presses("Enter")
        page.waits_for("document.activeElement.id === 'prompt'")
        page.types("What is six times seven?")
        page.presses("Escape")
        page.waits_for("!document.querySelector('dialog')")
        page.waits_for("document.activeElement.id === 'new'")
        page.presses("Enter")
        page.types("Say nothing at all.")
        page.presses("Enter", CONTROL)
        page.waits_for("document.querySelector('h1').innerText === 'Say nothing at all.'")
        page.waits_for("document.activeElement.tagName === 'H1'")
        page.tabs_to("Stop")
        page.presses(" ")
        page.sees("It was stopped.")
        page.waits_for("document.activeElement.tagName === 'H1'")
        page.presses("Tab")
        page.tabs_to("Run again…")
        page.presses("Enter")
        page.waits_for("document.querySelector('#prompt').value === 'Say nothing at all.'")


def test_a_run_can_be_begun_again_with_another_prompt(page: Tab) -> None:
    with shim(told(2)) as address:
        page.goes_to(run_url(address, start_run(address, "First.", **ECHOED, max_iterations=3)))
        page.sees("The model gave its answer.")
        page.clicks("Run again…")
        page.waits_for("document.querySelector('#max_iterations').value === '3'")
        page.js("document.querySelector('#prompt').value = ''")
        page.js("document.querySelector('#prompt').focus()")
        page.types("Second.")
        page.clicks("Start")
        page.waits_for("document.querySelector('h1').innerText === 'Second.'")
        page.sees("The model gave its answer.")
        page.sees("2 of 3")


def test_what_is_wrong_with_a_request_is_said_in_the_form(page: Tab) -> None:
    with shim(told()) as address:
        page.goes_to(f"{address}/#/")
        page.sees("No runs yet.")
        page.clicks("New run")
        page.types("Anything.")
        page.js("document.querySelector('#max_iterations').removeAttribute('max')")
        page.js("document.querySelector('#max_iterations').value = '100000'")
        page.clicks("Start")
        page.sees("max_iterations: Input should be less than or equal to 1000")


def test_a_run_is_taken_along_as_curl_and_as_a_bundle(page: Tab, tmp_path: Path) -> None:
    page.saves_in(tmp_path)
    with shim(told(2)) as address:
        run = start_run(address, "It's one.", **ECHOED)
        page.goes_to(run_url(address, run))
        page.sees("The model gave its answer.")
        page.js("navigator.clipboard.writeText = async (text) => { window.copied = text }")
        page.clicks("Copy as curl")
        page.sees("Copied")
        page.clicks("Download bundle")
        saved = page.saved(tmp_path, f"run-{run}.json")
        copied = ["sh", "-c", str(page.js("window.copied"))]
        again = subprocess.run(copied, capture_output=True, text=True, check=True)
    assert Bundle.model_validate_json(saved).run_id == run
    answered = AgentRunResponse.model_validate_json(again.stdout)
    assert {"role": "user", "content": "It's one."} in answered.messages


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_light_and_dark(page: Tab, scheme: str) -> None:
    page.looks(scheme=scheme)
    with shim(told()) as address:
        run = start_run(address, **ECHOED)
        page.goes_to(run_url(address, run))
        page.sees("The model gave its answer.")
        ground = page.js("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == {"light": "rgb(245, 246, 249)", "dark": "rgb(15, 18, 23)"}[scheme]
        page.js("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.js(FAINT) == []
        page.goes_to(f"{address}/#/")
        page.waits_for("document.querySelector('.runs li')")
        assert page.js(FAINT) == []


def test_nothing_is_wider_than_a_small_telephone(page: Tab) -> None:
    page.looks(width=NARROW, height=740)
    wide = "x" * 300
    model = ScriptedModel(
        [
            calling_model("echo", wide),
            text_turn(f"| a | b |\n|---|---|\n| {wide} | 2 |\n\n`{wide}`"),
        ]
    )
    with shim(model) as address:
        page.goes_to(run_url(address, start_run(address, wide, **ECHOED)))
        page.sees("The model gave its answer.")
        page.js("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.js("document.documentElement.scrollWidth") == NARROW
        page.goes_to(f"{address}/#/")
        page.waits_for("document.querySelector('.runs li')")
        assert page.js("document.documentElement.scrollWidth") == NARROW
        page.clicks("New run")
        page.waits_for("document.querySelector('dialog')")
        assert page.js("document.documentElement.scrollWidth") == NARROW


def test_a_screen_reader_finds_landmarks_names_and_news(page: Tab) -> None:
    with shim(told()) as address:
        page.goes_to(run_url(address, start_run(address, "Sums, please.", **ECHOED)))
        page.sees("The model gave its answer.")
        tree = page.ask("Accessibility.getFullAXTree")["nodes"]
    assert isinstance(tree, list)
    found = {(_named(node, "role"), _named(node, "name")) for node in tree}
    assert {
        ("heading", "Sums, please."),
        ("heading", "Turn 1"),
        ("button", "Copy as curl"),
        ("navigation", "Way back"),
        ("complementary", "Times"),
        ("region", "Answer"),
        ("list", "Repaired before it was run"),
    } <= found
    assert {"banner", "main", "status"} <= {role for role, _ in found}
    assert {name for role, name in found if role in ("button", "link") and not name} == set()
    assert page.js("document.querySelector('#said').getAttribute('aria-live')") == "polite"
    assert page.js("document.querySelector('#said').innerText") == (
        "The run is done. The model gave its answer."
    )


def _named(node: object, field: str) -> str:
    value = node.get(field) if isinstance(node, dict) else None
    return str(value.get("value", "")) if isinstance(value, dict) else ""
