"""Deny rules over Bash: what a line opens is denied, what it may open is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mini_agent.coding.permissions.policy import Allow, Ask, Deny, PermissionPolicy
from mini_agent.coding.tools.context import ToolContext
from tests.coding.permissions.carried_lines import CARRIED, SAID
from tests.coding.permissions.conftest import parse_rules
from tests.coding.permissions.fence_lines import DENIED, EVERYDAY, OPENING, OTHER, UNCLEAR


@pytest.fixture
def project(project: Path) -> Path:
    (project / ".env").write_text("KEY=1")
    (project / "link").symlink_to(".env")
    (project / "secrets").mkdir()
    (project / "secrets" / "k").write_text("s")
    (project / "d").symlink_to("secrets")
    (project / ".git").mkdir()
    return project


def denying(context: ToolContext, rule: str) -> PermissionPolicy:
    return PermissionPolicy(context, parse_rules(deny=[rule]), "bypassPermissions")


@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in DENIED.items() for x in lines])
def test_what_a_line_opens_is_denied(context: ToolContext, rule: str, line: str) -> None:
    assert isinstance(denying(context, rule).decide("Bash", {"command": line}), Deny)


@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in UNCLEAR.items() for x in lines])
def test_what_a_line_does_not_show_is_asked_for(context: ToolContext, rule: str, line: str) -> None:
    asked = denying(context, rule).decide("Bash", {"command": line})
    assert isinstance(asked, Ask)
    assert f"The line does not show whether the rule {rule} is about it." in asked.question


@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in UNCLEAR.items() for x in lines])
def test_no_allow_rule_covers_what_a_line_does_not_show(
    context: ToolContext, rule: str, line: str
) -> None:
    allow = ["Bash", f"Bash({line.replace('*', chr(92) + '*')})", "Bash(cat *)", "Bash(git *)"]
    permissions = PermissionPolicy(context, parse_rules(deny=[rule], allow=allow))
    assert isinstance(permissions.decide("Bash", {"command": line}), Ask)


@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in OTHER.items() for x in lines])
def test_what_a_rule_is_not_about_goes_on(context: ToolContext, rule: str, line: str) -> None:
    assert denying(context, rule).decide("Bash", {"command": line}) == Allow()


@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in OPENING.items() for x in lines])
def test_what_a_line_opens_or_may_open_is_not_allowed(
    context: ToolContext, rule: str, line: str
) -> None:
    assert denying(context, rule).decide("Bash", {"command": line}) != Allow()


@pytest.mark.parametrize("line", EVERYDAY)
def test_everyday_lines_go_on_beside_the_usual_rules(context: ToolContext, line: str) -> None:
    usual = ["Read(.env)", "Read(./secrets/**)", "Read(~/.ssh/**)", "Bash(git push *)"]
    permissions = PermissionPolicy(context, parse_rules(deny=usual), "bypassPermissions")
    assert permissions.decide("Bash", {"command": line}) == Allow()


def test_where_nobody_can_be_asked_the_reason_names_the_rule(context: ToolContext) -> None:
    headless = PermissionPolicy(
        context, parse_rules(deny=["Read(.env)"], allow=["Bash(cat *)"]), can_ask=False
    )
    decision = headless.decide("Bash", {"command": "cat $F"})
    assert isinstance(decision, Deny)
    assert "The line does not show whether the rule Read(.env) is about it." in decision.reason


def test_a_folder_with_too_many_files_is_asked_for(
    context: ToolContext, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mini_agent.coding.permissions.shell_files.MAX_TREE", 2)
    many = project / "src"
    for number in range(4):
        (many / f"{number}.py").write_text("")
    decision = denying(context, "Read(.env)").decide("Bash", {"command": "grep -r x src"})
    assert isinstance(decision, Ask)


@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in CARRIED.items() for x in lines])
def test_what_another_program_may_do_is_not_allowed(
    context: ToolContext, rule: str, line: str
) -> None:
    assert denying(context, rule).decide("Bash", {"command": line}) != Allow()


@pytest.mark.parametrize(("rule", "line"), [(r, x) for r, lines in SAID.items() for x in lines])
def test_a_name_that_is_only_said_goes_on(context: ToolContext, rule: str, line: str) -> None:
    assert denying(context, rule).decide("Bash", {"command": line}) == Allow()
