"""What the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mini_agent.errors import NotConfigured
from mini_agent.settings import Settings, require_model


def test_the_code_model_comes_before_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_DEFAULT_MODEL", "openai/general")
    assert Settings().default_model == "openai/general"
    monkeypatch.setenv("LITELLM_DEFAULT_CODE_MODEL", "ollama/coder")
    assert Settings().default_model == "ollama/coder"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_DEFAULT_CODE_MODEL", "")
    with pytest.raises(NotConfigured, match="LITELLM_DEFAULT_CODE_MODEL or LITELLM_DEFAULT_MODEL"):
        require_model("", Settings())


def test_litellms_variable_wins_over_ollamas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0")
    assert Settings().ollama_address == "http://127.0.0.1:11434"
    monkeypatch.setenv("OLLAMA_API_BASE", "http://elsewhere:1")
    assert Settings().ollama_address == "http://elsewhere:1"


def test_the_sidecars_token_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    assert Settings(sidecar_token_file=tmp_path / "token").read_sidecar_token() == "abc"


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="No such file") as raised:
        Settings(sidecar_token_file=tmp_path / "token").read_sidecar_token()
    assert str(tmp_path / "token") in raised.value.message
