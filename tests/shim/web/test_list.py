"""The list of runs: up to date, searched, filtered, paged."""

from __future__ import annotations

import httpx

from mini_agent.model import ModelReply
from tests.shim.scripted import ScriptedModel, SilentModel, text_turn
from tests.shim.web.shim_server import shim, start_run
from tests.shim.web.tab import Tab

ECHOED = {"tool_backend": "echo"}
TITLES = "[...document.querySelectorAll('.run-words a')].map(each => each.innerText)"
STATES = "[...document.querySelectorAll('.runs .pill')].map(each => each.innerText)"


def answers(count: int) -> ScriptedModel:
    """A model that answers at once, so many times."""
    replies: list[ModelReply] = [text_turn(f"answer {number}") for number in range(count)]
    return ScriptedModel(replies)


def ended(address: str, prompt: str, **more: object) -> str:
    """The id of a run that is over."""
    run = start_run(address, prompt, **ECHOED, **more)
    httpx.get(f"{address}/runs/{run}/events", trust_env=False)
    return run


def test_a_run_appears_and_its_state_follows(page: Tab) -> None:
    with shim(SilentModel()) as address:
        page.goes_to(f"{address}/#/")
        page.sees("No runs yet.")
        run = start_run(address, "Be silent.", **ECHOED)
        page.waits_for(f"{STATES}[0] === 'running'")
        page.js("document.querySelector('.run-words a').focus()")
        httpx.post(f"{address}/runs/{run}/cancel", trust_env=False)
        page.waits_for(f"{STATES}[0] === 'cancelled'")
        assert page.focused() == "Be silent."
        page.clicks("Be silent.")
        page.sees("It was stopped.")


def test_runs_are_searched_and_filtered_and_the_address_keeps_it(page: Tab) -> None:
    with shim(answers(3)) as address:
        for prompt in ("Sums of apples", "Sums of pears", "Nothing else"):
            ended(address, prompt)
        ended(address, "Sums of nothing", model="another/model")
        page.goes_to(f"{address}/#/")
        page.waits_for(f"{TITLES}.length === 4")
        page.js("document.querySelector('#q').focus()")
        page.types("sums")
        page.waits_for(f"{TITLES}.length === 3")
        page.js("document.querySelector('#state').value = 'done'")
        page.js("document.querySelector('#state').dispatchEvent(new Event('change'))")
        page.waits_for(f"{TITLES}.length === 2")
        assert page.js("location.hash") == "#/?q=sums&state=done"
        page.ask("Page.reload")
        page.waits_for(f"{TITLES}.length === 2")
        assert page.js(TITLES) == ["Sums of pears", "Sums of apples"]
        assert page.js("document.querySelector('#q').value") == "sums"


def test_older_runs_are_on_the_next_page(page: Tab) -> None:
    with shim(answers(27)) as address:
        for number in range(27):
            ended(address, f"Number {number}")
        page.goes_to(f"{address}/#/")
        page.waits_for(f"{TITLES}.length === 25")
        page.clicks("Older →")
        page.waits_for(f"{TITLES}.length === 2")
        assert page.js(TITLES) == [f"Number {number}" for number in (1, 0)]
        page.clicks("← Newest")
        page.waits_for(f"{TITLES}[0] === 'Number 26'")


def test_a_shim_that_is_gone_is_said_to_be(page: Tab) -> None:
    with shim(answers(0)) as address:
        page.goes_to(f"{address}/#/")
        page.sees("No runs yet.")
    page.sees("The shim does not answer. Is it running?")
