"""Permissions in a project of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from mini_agent.coding.permissions.policy import Permissions
from mini_agent.coding.permissions.rules import Rules, rule_written
from mini_agent.coding.tools.workspace import Workplace


def rules(deny: Iterable[str] = (), ask: Iterable[str] = (), allow: Iterable[str] = ()) -> Rules:
    """The rules as they are written in settings."""
    return Rules(*(tuple(map(rule_written, written)) for written in (deny, ask, allow)))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("x = 1\ny = 2\n")
    return folder


@pytest.fixture
def at(project: Path) -> Workplace:
    return Workplace.at(project, {**os.environ, "HOME": str(project.parent / "home")})


@pytest.fixture
def permissions(at: Workplace) -> Permissions:
    return Permissions(at)
