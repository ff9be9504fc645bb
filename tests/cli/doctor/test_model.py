"""What the doctor says of the model, its server and its keys."""

from __future__ import annotations

import pytest

from mini_agent.cli.doctor.model import check_keys, check_model
from mini_agent.testing import ScriptedServer
from mini_agent.testing.routes import Models
from tests.cli.doctor.conftest import found, states

SECRET = "sk-a-secret-that-is-long-enough-wxyz"
NO_STACK = {"MINI_AGENT_API_PORT": "9"}


async def of_ollama(models: Models, name: str = "ollama/coder:3b") -> dict[str, tuple[str, str]]:
    """State and detail or fix of each check."""
    with ScriptedServer(models=models) as server:
        checks = await found(
            check_model, LITELLM_DEFAULT_CODE_MODEL=name, OLLAMA_API_BASE=server.url
        )
    return {each.name: (each.state, each.fix or each.detail) for each in checks.values()}


@pytest.mark.parametrize("name", ["ollama/coder:3b", "ollama_chat/coder:3b"])
async def test_a_model_that_is_pulled_and_calls_tools_is_well(name: str) -> None:
    told = await of_ollama(Models(pulled=("coder:3b",)), name)
    assert {key: state for key, (state, _) in told.items()} == dict.fromkeys(
        ("model server", "model", "tools", "num_ctx"), "ok"
    )
    assert told["model server"][1].startswith("Ollama 0.")
    assert told["num_ctx"][1].startswith("8192 of 32768 tokens")


async def test_a_model_that_is_not_pulled_says_how() -> None:
    told = await of_ollama(Models(pulled=()))
    assert told["model"][0] == "fail"
    assert "docker exec ollama ollama pull coder:3b" in told["model"][1]


async def test_a_model_without_tools_is_usable_and_worth_a_word() -> None:
    told = await of_ollama(Models(pulled=("coder:3b",), capabilities=("completion",)))
    assert told["tools"][0] == "warn"
    assert "ollama pull" in told["tools"][1]


async def test_a_server_that_is_away_says_which() -> None:
    checks = await found(
        check_model, LITELLM_DEFAULT_CODE_MODEL="ollama/m", OLLAMA_API_BASE="http://127.0.0.1:9"
    )
    assert states(checks) == {"model server": "fail", "model": "skipped"}
    assert "no Ollama answers at http://127.0.0.1:9" in checks["model server"].detail


async def test_an_address_that_is_none_is_told_as_such() -> None:
    checks = await found(check_model, LITELLM_DEFAULT_CODE_MODEL="ollama/m", OLLAMA_API_BASE="::::")
    assert states(checks) == {"model server": "fail"}
    assert "is no address of Ollama" in checks["model server"].detail


async def test_a_hosted_model_needs_its_key() -> None:
    asked = {"LITELLM_DEFAULT_CODE_MODEL": "anthropic/claude"}
    without = await found(check_model, ANTHROPIC_API_KEY="", **asked)
    assert (without["model"].state, without["model"].fix) == (
        "fail",
        "export ANTHROPIC_API_KEY=...",
    )
    assert states(await found(check_model, ANTHROPIC_API_KEY=SECRET, **asked)) == {"model": "ok"}


async def test_without_a_model_there_is_a_word_on_how_to_name_one() -> None:
    (check,) = (await found(check_model, **NO_STACK)).values()
    assert (check.state, check.fix.startswith("export LITELLM_DEFAULT_CODE_MODEL=")) == (
        "skipped",
        True,
    )


async def test_keys_are_shown_masked() -> None:
    given = {"OPENAI_API_KEY": SECRET, "MINI_AGENT_SHIM_TOKEN": "short", "GEMINI_API_KEY": ""}
    (check,) = (await found(check_keys, **given)).values()
    assert "OPENAI_API_KEY=...wxyz" in check.detail
    assert "MINI_AGENT_SHIM_TOKEN=(set)" in check.detail
    assert "GEMINI" not in check.detail
    assert SECRET not in repr(check)
