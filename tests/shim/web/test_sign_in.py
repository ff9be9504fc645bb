"""Who gets the page, under which policy, and how it signs in; what `/status` says."""

from __future__ import annotations

from http import HTTPStatus

import httpx
import pytest
from pydantic import SecretStr

from mini_agent.testing import Models, ScriptedServer
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.web.files import load_page_files
from mini_agent_shim.web.status import Status
from tests.shim.scripted import ScriptedModel, ScriptedSidecar, open_client, text_turn
from tests.shim.web.shim_server import (
    run_url,
    sandbox,
    shim,
    start_run,
)
from tests.shim.web.tab import Tab

TOKEN = "a-token-of-the-shim"


async def status(**settings: str) -> Status:
    """What `/status` says of a shim that is set so."""
    async with open_client(ScriptedModel([]), ShimSettings.model_validate(settings)) as client:
        answer = await client.get("/status")
    assert answer.status_code == HTTPStatus.OK, answer.text
    return Status.model_validate_json(answer.content)


@pytest.mark.parametrize("path", load_page_files())
async def test_every_file_is_there_without_a_token_under_a_strict_policy(path: str) -> None:
    settings = ShimSettings(shim_token=SecretStr(TOKEN))
    async with open_client(ScriptedModel([]), settings) as client:
        answer = await client.get(path)
        known = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == HTTPStatus.OK
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (known.status_code, known.content) == (HTTPStatus.NOT_MODIFIED, b"")


async def test_the_rest_of_a_guarded_shim_is_not() -> None:
    settings = ShimSettings(shim_token=SecretStr(TOKEN))
    async with open_client(ScriptedModel([]), settings) as client:
        answers = [await client.get(path) for path in ("/status", "/runs", "/page/", "/page/x.js")]
        foreign = await client.get("/", headers={"Host": "evil.example"})
    assert {answer.status_code for answer in answers} == {HTTPStatus.UNAUTHORIZED}
    assert foreign.status_code == HTTPStatus.FORBIDDEN


def test_what_is_of_others_has_its_licence_beside_it() -> None:
    files = load_page_files()
    assert files["/page/vendor/markdown-it.js"].media_type.startswith("text/javascript")
    licence = files["/page/vendor/LICENSE.txt"].content.decode()
    assert "Permission is hereby granted" in licence
    for package in ("markdown-it", "linkify-it", "mdurl", "uc.micro", "entities", "punycode.js"):
        assert f"== {package} " in licence


def test_nothing_comes_from_elsewhere() -> None:
    for path, file in load_page_files().items():
        text = file.content.decode()
        assert 'src="http' not in text, path
        assert "innerHTML" not in text, path
        assert "@import" not in text, path


def test_the_page_asks_for_the_token_and_keeps_it_in_its_tab(page: Tab) -> None:
    with shim(ScriptedModel([text_turn("Hello.")]), {"MINI_AGENT_SHIM_TOKEN": TOKEN}) as address:
        page.goes_to(f"{address}/#/")
        page.sees("This shim asks for a token")
        page.types("wrong")
        page.presses("Enter")
        page.sees("This token is wrong")
        page.types(TOKEN)
        page.presses("Enter")
        page.sees("No runs yet.")
        asked = {"messages": [{"role": "user", "content": "Hi."}], "tool_backend": "echo"}
        run = httpx.post(
            f"{address}/agent/run",
            json=asked,
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        ).headers["x-run-id"]
        page.goes_to(run_url(address, run))
        page.sees("The model gave its answer.")
        page.ask("Page.reload")
        page.sees("The model gave its answer.")
        assert TOKEN not in page.text()
        page.clicks("Sign out")
        page.sees("This shim asks for a token")


def test_a_run_that_is_not_there_is_said_not_to_be(page: Tab) -> None:
    with shim(ScriptedModel([])) as address:
        page.goes_to(run_url(address, "0" * 32))
        page.sees("There is no such run")
        page.sees("GET /runs lists them")


def test_a_broken_connection_goes_on_after_the_last_event(page: Tab) -> None:
    with sandbox(ScriptedSidecar()) as settings, shim(ScriptedModel([]), settings) as address:
        page.goes_to(f"{address}/#/")
        page.sees("No runs yet.")
        page.js(BREAKING)
        page.goes_to(run_url(address, start_run(address)))
        page.sees("It failed")
        assert page.js("window.asked") == ["", "2"]
        assert page.count(".pill-failed") == 1


def test_a_file_that_did_not_come_is_asked_for_again_with_the_page(page: Tab) -> None:
    with shim(ScriptedModel([])) as address:
        page.ask("Network.setBlockedURLs", urls=["*/page/run.js"])
        page.goes_to(f"{address}/#/")
        page.waits_for("sessionStorage.getItem('mini-agent-starts') > 1")
        page.ask("Network.setBlockedURLs", urls=[])
        page.sees("No runs yet.")
        assert page.js("sessionStorage.getItem('mini-agent-starts')") is None


def test_a_run_that_is_asked_for_over_a_breaking_connection_is_begun_once(page: Tab) -> None:
    with (
        sandbox(ScriptedSidecar()) as settings,
        shim(ScriptedModel([text_turn("Once.")]), settings) as address,
    ):
        page.goes_to(f"{address}/#/")
        page.sees("No runs yet.")
        page.js(LOSING)
        page.clicks("New run")
        page.types("Only once, please.")
        page.clicks("Start")
        page.sees("The model gave its answer.")
        listed = httpx.get(f"{address}/runs", trust_env=False).json()["runs"]
    assert len(listed) == 1


async def test_a_shim_with_nothing_around_it_says_what_is_missing() -> None:
    said = await status(MINI_AGENT_SIDECAR_URL="http://127.0.0.1:9")
    assert (said.engine.state, said.sidecar.state, said.model.state) == (
        "unknown",
        "off",
        "unknown",
    )
    assert "does not answer" in said.sidecar.detail
    assert "make up" in said.sidecar.hint
    assert "LITELLM_DEFAULT_CODE_MODEL" in said.model.hint
    assert said.pools == {}


def test_a_sidecar_that_is_ready_and_its_pools_are_told() -> None:
    with sandbox(ScriptedSidecar()) as settings, shim(ScriptedModel([]), settings) as address:
        said = Status.model_validate_json(httpx.get(f"{address}/status", trust_env=False).content)
    assert (said.engine.state, said.sidecar.state) == ("ok", "ok")
    assert said.pools == {"python": 2, "node": 1}
    assert said.default_model == "scripted/model"


@pytest.mark.parametrize(
    ("model", "state", "hint"),
    [
        ("ollama/there:3b", "ok", ""),
        ("ollama/not-there", "off", "fetch it: ollama pull not-there"),
        ("openai/gpt", "unknown", ""),
    ],
)
async def test_whether_ollama_has_the_model_is_told(model: str, state: str, hint: str) -> None:
    with ScriptedServer(models=Models(pulled=("there:3b",))) as ollama:
        said = await status(LITELLM_DEFAULT_CODE_MODEL=model, OLLAMA_API_BASE=ollama.url)
        assert ollama.requests == ()
    assert (said.model.state, said.model.hint) == (state, hint)


async def test_an_ollama_that_is_away_is_told() -> None:
    said = await status(LITELLM_DEFAULT_CODE_MODEL="ollama/x", OLLAMA_HOST="http://127.0.0.1:9")
    assert said.model.state == "off"
    assert "127.0.0.1:9 does not answer" in said.model.detail


# The answer to what is sent first is lost on its way.
LOSING = """(() => {
  const real = window.fetch;
  let isLost = false;
  window.fetch = async (path, given) => {
    const answer = await real(path, given);
    if (given.method !== "POST" || isLost) return answer;
    isLost = true;
    throw new TypeError("lost");
  };
})()"""
# The first connection to a run's events ends after two of them.
BREAKING = """(() => {
  const real = window.fetch;
  window.asked = [];
  window.fetch = async (path, given) => {
    const answer = await real(path, given);
    if (!path.endsWith("/events")) return answer;
    const after = given.headers["Last-Event-ID"] ?? "";
    window.asked.push(after);
    if (after) return answer;
    const reader = answer.body.getReader();
    const words = new TextDecoder();
    let text = "";
    while (text.split("\\n\\n").length < 4) text += words.decode((await reader.read()).value);
    reader.cancel();
    return new Response(`${text.split("\\n\\n").slice(0, 3).join("\\n\\n")}\\n\\n`);
  };
})()"""
