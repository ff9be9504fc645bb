"""Permissions in a project of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from mini_agent.coding.permissions.policy import PermissionPolicy
from mini_agent.coding.permissions.rules import Rules, parse_rule
from mini_agent.coding.tools.context import ToolContext


def parse_rules(
    deny: Iterable[str] = (), ask: Iterable[str] = (), allow: Iterable[str] = ()
) -> Rules:
    """Return the rules as they are written in settings."""
    return Rules(*(tuple(map(parse_rule, written)) for written in (deny, ask, allow)))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("x = 1\ny = 2\n")
    return folder


@pytest.fixture
def context(project: Path) -> ToolContext:
    return ToolContext.create(project, {**os.environ, "HOME": str(project.parent / "home")})


@pytest.fixture
def permissions(context: ToolContext) -> PermissionPolicy:
    return PermissionPolicy(context)
