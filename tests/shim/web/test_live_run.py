"""A run in a real sandbox, watched in a browser while it happens."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from mini_agent.model import ModelReply, ModelRequest
from tests.docker.sidecar_process import Sidecar
from tests.flow.leaving import gone_within, sandboxes
from tests.shim.scripted import ScriptedModel, text_turn
from tests.shim.web.shim_server import (
    calling_model,
    run_url,
    shim,
    start_run,
    with_real,
)
from tests.shim.web.tab import Tab

pytestmark = pytest.mark.docker

# `python -m bench.browser` holds it to 2 s; here a busy machine has to be able to do it.
STOP_S = 10.0
SLOW = "import time\nprint('first light', flush=True)\ntime.sleep(4)\nprint('second light')"
SLEEPS = "import time\nprint('asleep', flush=True)\ntime.sleep(120)"
PLOT = """
import matplotlib.pyplot as plt, pandas as pd
plt.plot([1, 2, 3], [1, 4, 9])
pd.DataFrame({"city": ["Rome", "<b>Oslo</b>"], "people": [2.8, 0.7]})
"""
FIGURE = "document.querySelector('.figure img')?.naturalWidth"
PRINTED = "document.querySelector('.stdout pre')?.innerText"
RUNNING = "document.querySelector('.pill-running')"
HELD_S = 60.0
CHANGED = "[...document.querySelectorAll('.diff-gone, .diff-new')].map(it => it.textContent.trim())"


@dataclass
class Held(ScriptedModel):
    """Goes on after its first turn when it is let go."""

    go: threading.Event = field(default_factory=threading.Event)

    async def reply(self, request: ModelRequest) -> ModelReply:
        if self.requests:
            await asyncio.to_thread(self.go.wait, HELD_S)
        return await super().reply(request)


def test_what_a_program_prints_is_seen_while_it_runs(real: Sidecar, page: Tab) -> None:
    model = ScriptedModel(
        [calling_model("exec_python", SLOW), text_turn("There were **two** lights.")]
    )
    with shim(model, with_real(real)) as address:
        page.goes_to(run_url(address, start_run(address)))
        page.waits_for(f"{PRINTED} === 'first light\\n' && {RUNNING}")
        page.sees("second light")
        page.sees("There were two lights.")
        page.sees("The model gave its answer.")
    assert page.js("document.querySelector('.answer strong').textContent") == "two"
    assert page.count(".pill-done") == 1


def test_a_reload_in_the_middle_shows_all_of_it_and_goes_on(real: Sidecar, page: Tab) -> None:
    model = Held([calling_model("exec_python", "print('first light')"), text_turn("It went on.")])
    with shim(model, with_real(real)) as address:
        page.goes_to(run_url(address, start_run(address)))
        page.waits_for(f"{PRINTED} === 'first light\\n' && {RUNNING}")
        page.js("window.isOld = true")
        page.ask("Page.reload")
        page.waits_for(f"!window.isOld && {PRINTED} === 'first light\\n' && {RUNNING}")
        model.go.set()
        page.sees("It went on.")
        page.sees("The model gave its answer.")
    assert page.count(".call") == 1
    assert page.count(".turn") == 2


def test_stop_ends_the_run_and_its_sandbox(real: Sidecar, page: Tab) -> None:
    model = ScriptedModel([calling_model("exec_python", SLEEPS)])
    with shim(model, with_real(real)) as address:
        page.goes_to(run_url(address, start_run(address)))
        page.sees("asleep")
        assert sandboxes(real) != []
        page.clicks("Stop")
        page.sees("It was stopped.", STOP_S)
        assert gone_within(STOP_S, real)
        assert page.count(".pill-cancelled") == 1
        assert "ended with the run" in page.text()
        assert "Stop" not in page.text().splitlines()


def test_figures_and_tables_are_shown_in_place(real: Sidecar, page: Tab) -> None:
    with shim(
        ScriptedModel([calling_model("exec_python", PLOT), text_turn("Done.")]), with_real(real)
    ) as address:
        page.goes_to(run_url(address, start_run(address)))
        page.waits_for(f"{FIGURE} > 100")
        page.sees("<b>Oslo</b>")
    assert page.count(".frame tbody tr") == 2
    assert page.count(".frame b") == 0
    page.js("document.querySelector('button.figure').click()")
    page.waits_for("document.querySelector('dialog.enlarged img').naturalWidth > 100")


def test_a_failure_and_its_repair_are_told_with_what_changed(real: Sidecar, page: Tab) -> None:
    replies = [
        calling_model("exec_python", "x = 6\nprint(x / 0)"),
        calling_model("exec_python", "x = 6\nprint(x * 7)"),
        text_turn("42"),
    ]
    with shim(ScriptedModel(replies), with_real(real)) as address:
        page.goes_to(run_url(address, start_run(address)))
        page.sees("The model gave its answer.")
    assert "ZeroDivisionError" in str(page.js("document.querySelector('.stderr pre').innerText"))
    assert page.count('.call[data-state="bad"]') == 1
    assert page.count('.call[data-state="ok"]') == 1
    assert page.js(CHANGED) == ["removed: - print(x / 0)", "added: + print(x * 7)"]
    page.clicks("Limits and times of its sandbox")
    page.sees("at most 64 MiB")
