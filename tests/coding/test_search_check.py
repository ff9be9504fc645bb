"""What `mini-agent doctor` says of the search."""

from __future__ import annotations

from pathlib import Path

import pytest

from mini_agent.coding.doctor_checks import Check, run_checks
from tests.coding.harness import Harness


def search_check(harness: Harness) -> Check:
    (found,) = (each for each in run_checks(harness.launch()) if each.name == "search")
    return found


def test_the_ripgrep_that_is_used_is_named(harness: Harness) -> None:
    assert search_check(harness).detail.endswith("/rg")


def test_without_ripgrep_the_own_search_is_named_and_is_no_fault(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    check = search_check(harness)
    assert check.is_ok
    assert check.detail.startswith("Grep and Glob search by themselves; faster with ripgrep")
