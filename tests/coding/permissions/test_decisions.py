"""What may be done, what may not, and what the user is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from pydantic import JsonValue

from mini_agent.coding.options import Mode
from mini_agent.coding.permissions.policy import (
    Allowed,
    Asked,
    Denied,
    Permissions,
)
from mini_agent.coding.tools.workspace import Workplace
from tests.coding.permissions.conftest import rules

EDIT: dict[str, JsonValue] = {"file_path": "src/a.py", "old_string": "1", "new_string": "3"}
HARMLESS: list[tuple[str, dict[str, JsonValue]]] = [
    ("Read", {"file_path": "src/a.py"}),
    ("Grep", {"pattern": "x"}),
    ("Glob", {"pattern": "**/*.py"}),
    ("LS", {"path": "src"}),
    ("TodoWrite", {"todos": []}),
    ("Task", {"description": "d", "prompt": "p", "subagent_type": "t"}),
    ("ExitPlanMode", {"plan": "p"}),
    ("BashOutput", {"bash_id": "bash_1"}),
]
CHANGING: list[tuple[str, dict[str, JsonValue]]] = [
    ("Edit", EDIT),
    ("Write", {"file_path": "new.py", "content": ""}),
    ("MultiEdit", {"file_path": "src/a.py", "edits": [{"old_string": "1", "new_string": "3"}]}),
    ("NotebookEdit", {"notebook_path": "n.ipynb", "new_source": "", "cell_id": "a"}),
    ("Bash", {"command": "ls"}),
    ("mcp__files__write", {"path": "x"}),
]
REACHING: list[tuple[str, dict[str, JsonValue]]] = [
    ("WebFetch", {"url": "https://a.example/x", "prompt": "p"}),
    ("WebSearch", {"query": "secret"}),
]
OUTSIDE: list[tuple[str, dict[str, JsonValue]]] = [
    ("Read", {"file_path": "/etc/passwd"}),
    ("Read", {"file_path": "~/.ssh/id_rsa"}),
    ("Read", {"file_path": "src/../../x"}),
    ("Grep", {"pattern": "x", "path": "/etc"}),
    ("Glob", {"pattern": "/etc/*"}),
    ("Glob", {"pattern": "../*"}),
    ("LS", {"path": "/"}),
]


@pytest.mark.parametrize("mode", get_args(Mode))
@pytest.mark.parametrize(("tool", "arguments"), HARMLESS)
def test_looking_round_is_allowed_in_every_mode(
    permissions: Permissions, mode: Mode, tool: str, arguments: dict[str, JsonValue]
) -> None:
    permissions.mode = mode
    assert permissions.decision(tool, arguments) == Allowed()


@pytest.mark.parametrize(("tool", "arguments"), [*CHANGING, *REACHING, *OUTSIDE])
def test_what_changes_reaches_out_or_lies_outside_is_asked_for(
    permissions: Permissions, tool: str, arguments: dict[str, JsonValue]
) -> None:
    assert isinstance(permissions.decision(tool, arguments), Asked)


@pytest.mark.parametrize(("tool", "arguments"), CHANGING)
def test_plan_mode_denies_what_changes_anything_whatever_is_allowed(
    at: Workplace, tool: str, arguments: dict[str, JsonValue]
) -> None:
    allowing = Permissions(at, rules(allow=[tool, "Bash(ls)", "Edit(/**)"]), "plan")
    decision = allowing.decision(tool, arguments)
    assert isinstance(decision, Denied)
    assert "plan mode" in decision.reason


def test_what_runs_in_a_sandbox_is_allowed_in_every_mode(at: Workplace) -> None:
    for mode in get_args(Mode):
        permissions = Permissions(at, mode=mode, sealed=frozenset({"exec_python"}))
        assert permissions.decision("exec_python", {"code": "1"}) == Allowed()


def test_plan_mode_knows_the_tools_of_others_that_only_read(at: Workplace) -> None:
    planning = Permissions(
        at, rules(allow=["mcp__files"]), "plan", readers=frozenset({"mcp__files__read"})
    )
    assert planning.decision("mcp__files__read", {}) == Allowed()
    assert isinstance(planning.decision("mcp__files__write", {}), Denied)


@pytest.mark.parametrize(("tool", "arguments"), [*CHANGING, *REACHING, *OUTSIDE])
def test_bypassing_asks_for_nothing(
    permissions: Permissions, tool: str, arguments: dict[str, JsonValue]
) -> None:
    permissions.mode = "bypassPermissions"
    assert permissions.decision(tool, arguments) == Allowed()


def test_accepting_edits_is_for_files_in_the_project(permissions: Permissions) -> None:
    permissions.mode = "acceptEdits"
    assert permissions.decision("Edit", EDIT) == Allowed()
    for tool, arguments in (
        ("Write", {"file_path": "/tmp/x", "content": ""}),
        ("Bash", {"command": "touch x"}),
    ):
        assert isinstance(permissions.decision(tool, {**arguments}), Asked)


@pytest.mark.parametrize(
    "path",
    [".git/hooks/pre-commit", ".claude/settings.local.json", ".mcp.json", "sub/.git/config"],
)
def test_files_that_start_commands_are_asked_for_all_the_same(at: Workplace, path: str) -> None:
    accepting = Permissions(at, rules(allow=["Write", "Edit"]), "acceptEdits")
    assert isinstance(accepting.decision("Write", {"file_path": path, "content": ""}), Asked)


def test_a_link_leads_where_it_leads(permissions: Permissions, project: Path) -> None:
    (project / "out").symlink_to("/etc")
    (project / "round").symlink_to("round")
    permissions.mode = "acceptEdits"
    assert isinstance(permissions.decision("Read", {"file_path": "out/passwd"}), Asked)
    written = {"file_path": "out/new", "content": ""}
    assert isinstance(permissions.decision("Write", {**written}), Asked)
    assert permissions.decision("Read", {"file_path": "round"}) == Allowed()


def test_additional_folders_are_like_the_project(project: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    permissions = Permissions(Workplace.at(project, {}, (beside,)))
    assert permissions.decision("Read", {"file_path": f"{beside}/a"}) == Allowed()


def test_deny_weighs_more_than_ask_and_ask_more_than_allow(at: Workplace) -> None:
    weighed = Permissions(
        at,
        rules(deny=["Bash(git push *)"], ask=["Bash(git commit *)"], allow=["Bash(git *)", "Bash"]),
        "bypassPermissions",
    )
    denied = weighed.decision("Bash", {"command": "git push origin"})
    assert denied == Denied("Bash is denied here by the rule Bash(git push *).")
    assert isinstance(weighed.decision("Bash", {"command": "git commit -m x"}), Asked)
    assert weighed.decision("Bash", {"command": "git status"}) == Allowed()


def test_where_nobody_can_be_asked_it_is_denied_with_the_reason(at: Workplace) -> None:
    headless = Permissions(at, can_ask=False)
    decision = headless.decision("Bash", {"command": "git push origin main"})
    assert isinstance(decision, Denied)
    assert "nobody is there to be asked" in decision.reason
    assert "The rule Bash(git push *) would allow it" in decision.reason


def test_the_question_shows_what_would_change(permissions: Permissions, project: Path) -> None:
    asked = permissions.decision("Edit", EDIT)
    assert isinstance(asked, Asked)
    assert asked.question == f"Edit {project}/src/a.py?"
    assert asked.diff.endswith("@@ -1,3 +1,3 @@\n-x = 1\n+x = 3\n y = 2\n ")
    hopeless = permissions.decision("Edit", {**EDIT, "old_string": "none"})
    assert isinstance(hopeless, Asked)
    assert hopeless.diff.startswith("(it will not be made: String to replace not found")


@pytest.mark.parametrize(
    ("tool", "arguments", "always"),
    [
        ("Bash", {"command": "git commit -m 'a b'"}, "Bash(git commit *)"),
        ("Bash", {"command": "rm -rf build"}, "Bash(rm -rf build)"),
        ("Bash", {"command": "git add . && rm x"}, "Bash(git add . && rm x)"),
        ("Bash", {"command": "echo $(date)"}, "Bash(echo $(date))"),
        ("Edit", EDIT, "Edit(/src/a.py)"),
        ("Read", {"file_path": "/etc/passwd"}, "Read(//etc/passwd)"),
        ("LS", {"path": "/etc"}, "Read(//etc/**)"),
        ("WebFetch", {"url": "https://A.example/x", "prompt": "p"}, "WebFetch(domain:a.example)"),
        ("WebSearch", {"query": "xx"}, "WebSearch"),
        ("mcp__files__write", {"path": "x"}, "mcp__files__write"),
    ],
)
def test_always_allows_the_same_call_and_is_kept(
    at: Workplace, tool: str, arguments: dict[str, JsonValue], always: str
) -> None:
    kept: list[str] = []
    permissions = Permissions(at, keep=lambda rule: kept.append(str(rule)))
    asked = permissions.decision(tool, arguments)
    assert isinstance(asked, Asked)
    assert str(asked.always) == always
    permissions.remember(asked.always)
    permissions.remember(asked.always)
    assert permissions.decision(tool, arguments) == Allowed()
    assert kept == [always]


def test_a_call_that_the_tool_refuses_itself_needs_no_question(permissions: Permissions) -> None:
    assert permissions.decision("Edit", {"file_path": 1}) == Allowed()
    for path in ("a\0b", "\ud800", "x" * 300, "x/" * 4000):
        assert permissions.decision("Read", {"file_path": path}) == Allowed()
        assert permissions.decision("Write", {"file_path": path, "content": ""}) == Allowed()


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("Bash", {"cmd": "rm x"}),
        ("Read", {"path": "src/a.py"}),
        ("ExitPlanMode", {"plan": "p"}),
        ("Task", {"description": "d", "prompt": "p", "subagent_type": "t"}),
    ],
)
def test_a_servers_tool_with_the_name_of_one_of_ours_is_the_servers(
    at: Workplace, tool: str, arguments: dict[str, JsonValue]
) -> None:
    of_others = Permissions(at, own=frozenset())
    assert isinstance(of_others.decision(tool, arguments), Asked)
    of_others.mode = "plan"
    assert isinstance(of_others.decision(tool, arguments), Denied)


def test_where_the_shell_is_does_not_widen_the_project(
    at: Workplace, project: Path, tmp_path: Path
) -> None:
    elsewhere = replace(at, project=project / "src")
    assert isinstance(
        Permissions(elsewhere).decision("Read", {"file_path": str(tmp_path / "x")}), Asked
    )
