"""Permissions in settings files: read, merged, remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mini_agent.coding.permissions.rules import parse_rule
from mini_agent.coding.permissions.settings import (
    LOCAL_SETTINGS,
    add_allow_rule,
    read_permission_settings,
)
from mini_agent.coding.settings import (
    load_settings_file,
    load_usable_settings,
    merge_settings,
    settings_paths,
)
from mini_agent.errors import NotConfigured
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness
from tests.coding.permissions.conftest import parse_rules


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / ".claude"
    folder.mkdir(parents=True)
    return folder


def write_settings(path: Path, **permissions: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"permissions": permissions, "model": "other"}))


def test_rules_of_all_files_add_up_and_the_last_mode_counts(home: Path, project: Path) -> None:
    user, shared, local = settings_paths(home, project)
    write_settings(user, allow=["Bash(ls *)"], defaultMode="plan", additionalDirectories=["/opt"])
    write_settings(shared, deny=["Read(.env)"], additionalDirectories=["../beside"])
    write_settings(local, allow=["Edit"], ask=["Bash"], defaultMode="acceptEdits")
    settings = read_permission_settings((user, shared, local), project)
    assert settings.rules == parse_rules(["Read(.env)"], ["Bash"], ["Bash(ls *)", "Edit"])
    assert settings.mode == "acceptEdits"
    assert settings.additional == (Path("/opt"), project / "../beside")


def test_files_that_are_not_there_say_nothing(home: Path, project: Path) -> None:
    settings = read_permission_settings(settings_paths(home, project), project)
    assert (settings.rules, settings.mode) == (parse_rules(), None)


def test_a_project_cannot_switch_permissions_off(home: Path, project: Path) -> None:
    user, shared, local = settings_paths(home, project)
    for path in (shared, local):
        write_settings(path, defaultMode="bypassPermissions")
    assert read_permission_settings((user, shared, local), project).mode is None
    write_settings(user, defaultMode="bypassPermissions")
    assert read_permission_settings((user,), project).mode == "bypassPermissions"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{\n"permissions": }', "line 2: Expecting value"),
        ("[1]", "line 1: it must be one JSON object"),
        (
            '{"permissions":\n{"allow": [\n"Bash",\n"Bash("]}}',
            r"line 4: permissions.allow.1: 'Bash\(' is no rule",
        ),
        ('{"permissions":\n{"deny": "Bash"}}', "line 2: permissions.deny: Input should be"),
        ('{"permissions":\n{"defaultMode": "wild"}}', "line 2: permissions.defaultMode: "),
    ],
)
def test_broken_settings_are_named_with_file_line_and_key(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(NotConfigured, match=f"settings.json, {complaint}"):
        read_permission_settings((path,), tmp_path)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"permissions": {"deny": ["LS"]}, "permissions": {}}', "permissions"),
        ('{"permissions": {"deny": ["LS"], "deny": []}}', "deny"),
        ('{"permissions": {"ask": ["LS"], "allow": [], "ask": []}}', "ask"),
        ('{"sandbox": {"enabled": true}, "sandbox": {}}', "sandbox"),
    ],
)
def test_what_restricts_is_not_lost_to_a_second_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(NotConfigured, match=f"'{key}' is written twice"):
        load_usable_settings(path)


def test_a_byte_order_mark_is_no_part_of_either_part(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"model": "gpt-4.1",\n"permissions": {"deny": ["Bash"]}}', "utf-8-sig")
    assert merge_settings([load_settings_file(path)]).model == "gpt-4.1"
    assert read_permission_settings((path,), tmp_path).rules == parse_rules(["Bash"])
    path.write_text('{"model":\n1,\n"permissions":\n{"deny": 1}}', "utf-8-sig")
    with pytest.raises(NotConfigured, match="line 2: model: "):
        merge_settings([load_settings_file(path)])
    with pytest.raises(NotConfigured, match=r"line 4: permissions\.deny: "):
        read_permission_settings((path,), tmp_path)


def test_a_remembered_rule_is_added_and_all_else_stays(project: Path) -> None:
    path = project / LOCAL_SETTINGS
    add_allow_rule(path, parse_rule("Bash(git diff *)"))
    assert json.loads(path.read_text()) == {"permissions": {"allow": ["Bash(git diff *)"]}}
    allowed = ["Edit"]
    kept = {"hooks": {"Stop": []}, "permissions": {"deny": ["WebFetch"], "allow": allowed}}
    path.write_text(json.dumps(kept))
    add_allow_rule(path, parse_rule("Bash(ls *)"))
    add_allow_rule(path, parse_rule("Bash(ls *)"))
    allowed.append("Bash(ls *)")
    assert json.loads(path.read_text()) == kept
    assert read_permission_settings((path,), project).rules.allow[-1] == parse_rule("Bash(ls *)")


def test_settings_that_are_broken_are_not_written_over(project: Path) -> None:
    path = project / LOCAL_SETTINGS
    path.parent.mkdir()
    path.write_text('{"permissions": {')
    with pytest.raises(NotConfigured, match="line 1"):
        add_allow_rule(path, parse_rule("Edit"))
    assert path.read_text() == '{"permissions": {'
    path.write_text('{"permissions": {"allow": 1}}')
    with pytest.raises(NotConfigured, match="allow is not a list"):
        add_allow_rule(path, parse_rule("Edit"))


async def test_what_an_option_denies_is_hidden_from_searches_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = Harness(tmp_path / "project", tmp_path / "home")
    harness.file("secrets/a.txt", "needle")
    harness.file("b.txt", "needle")
    monkeypatch.chdir(harness.project)
    with ScriptedModel(
        calls_reply(scripted_call("Grep", pattern="needle")), text_reply("done")
    ) as model:
        await harness.run_prompt(model, "Search.", disallowed_tools=("Read(secrets/**)",))
    told = str(model.requests[1].messages[-1]["content"])
    assert "b.txt" in told
    assert "a.txt" not in told
