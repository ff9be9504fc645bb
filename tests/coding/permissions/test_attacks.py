"""Ways round a rule: a denied command is found in disguise, an allow rule covers no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent.coding.permissions.policy import (
    Allow,
    Ask,
    Deny,
    PermissionPolicy,
)
from mini_agent.coding.tools.context import ToolContext
from tests.coding.permissions.attacks import (
    COVERED,
    DENIED,
    NOT_COVERED,
    NOT_DENIED,
)
from tests.coding.permissions.conftest import parse_rules


def make_call(rule: str, what: str) -> tuple[str, dict[str, JsonValue]]:
    """Return a call with `what` as the argument that a rule like this is about."""
    if rule.startswith("WebFetch"):
        return "WebFetch", {"url": what, "prompt": "p"}
    if rule.startswith("Edit") and " " not in what:
        return "Write", {"file_path": what, "content": ""}
    return "Bash", {"command": what}


@pytest.fixture
def project(project: Path) -> Path:
    (project / ".env").write_text("KEY=1")
    (project / "link").symlink_to(".env")
    (project / "out").symlink_to("/etc")
    (project / "hooks").mkdir()
    (project / ".husky").symlink_to("hooks")
    (project / "linked").symlink_to("hooks")
    for part in ("objects", "refs"):
        (project / "bare" / part).mkdir(parents=True)
    (project / "bare" / "HEAD").write_text("ref: refs/heads/main\n")
    return project


@pytest.mark.parametrize(("rule", "what"), [(r, w) for r, lines in DENIED.items() for w in lines])
def test_what_is_denied_is_denied_in_disguise(context: ToolContext, rule: str, what: str) -> None:
    denying = PermissionPolicy(context, parse_rules(deny=[rule]), "bypassPermissions")
    assert isinstance(denying.decide(*make_call(rule, what)), Deny)


@pytest.mark.parametrize(
    ("rule", "what"), [(r, w) for r, lines in NOT_DENIED.items() for w in lines]
)
def test_what_is_not_denied_goes_on(context: ToolContext, rule: str, what: str) -> None:
    denying = PermissionPolicy(context, parse_rules(deny=[rule]), "bypassPermissions")
    assert denying.decide(*make_call(rule, what)) == Allow()


@pytest.mark.parametrize(
    ("rule", "what"), [(r, w) for r, lines in NOT_COVERED.items() for w in lines]
)
def test_what_does_more_than_is_allowed_is_asked_for(
    context: ToolContext, rule: str, what: str
) -> None:
    allowing = PermissionPolicy(context, parse_rules(allow=[rule]), "default")
    assert isinstance(allowing.decide(*make_call(rule, what)), Ask)


@pytest.mark.parametrize(("rule", "what"), [(r, w) for r, lines in COVERED.items() for w in lines])
def test_what_is_allowed_needs_no_question(context: ToolContext, rule: str, what: str) -> None:
    allowing = PermissionPolicy(context, parse_rules(allow=[rule]), "default")
    assert allowing.decide(*make_call(rule, what)) == Allow()


def test_plan_mode_denies_every_line(context: ToolContext) -> None:
    planning = PermissionPolicy(context, parse_rules(allow=["Bash", "Edit", *NOT_COVERED]), "plan")
    lines = [line for rule, them in NOT_COVERED.items() if rule.startswith("Bash") for line in them]
    for line in (*lines, "ls", "echo x > src/a.py"):
        assert isinstance(planning.decide("Bash", {"command": line}), Deny)


@pytest.mark.parametrize(
    ("line", "always"),
    [
        ("rm *.o", r"Bash(rm \*.o)"),
        ("git status", "Bash(git status)"),
        ("npm run build -- -x", "Bash(npm run build -- -x)"),
        ("npm exec evil", "Bash(npm exec evil)"),
        ("uv run evil", "Bash(uv run evil)"),
        ("docker run -v /:/x y", "Bash(docker run -v /:/x y)"),
        ("git -c a=b log", "Bash(git -c a=b log)"),
        ("git config a.b c", "Bash(git config a.b c)"),
        ("git diff --output=x", "Bash(git diff --output=x)"),
    ],
)
def test_always_is_never_more_than_was_seen(context: ToolContext, line: str, always: str) -> None:
    permissions = PermissionPolicy(context)
    asked = permissions.decide("Bash", {"command": line})
    assert isinstance(asked, Ask)
    assert str(asked.suggested_rule) == always
    permissions.remember(asked.suggested_rule)
    assert permissions.decide("Bash", {"command": line}) == Allow()


def test_a_line_of_the_longest_that_there_is_is_judged(context: ToolContext) -> None:
    denying = PermissionPolicy(context, parse_rules(deny=["Bash(rm *)"]), "bypassPermissions")
    padded = "env " + "A=1 " * 30_000 + "rm x"
    assert len(padded) > os.sysconf("SC_PAGE_SIZE") * 16
    assert isinstance(denying.decide("Bash", {"command": padded}), Deny)
