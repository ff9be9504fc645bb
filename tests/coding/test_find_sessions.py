"""Sessions are found by the folder that their lines name, by their ids, and by nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mini_agent.messages import JsonObject
from tests.coding.harness import SESSION_ID, Harness, run_command
from tests.coding.transcript_lines import model_line, text_block, user_line

OTHER_ID = "11111111-9999-4333-8444-555555555555"


def beside(harness: Harness, name: str) -> Harness:
    project = harness.project.parent / name
    project.mkdir()
    return Harness(project, harness.home)


def lines(project: Path, words: str) -> tuple[JsonObject, JsonObject]:
    asked = user_line("u1", None, words, cwd=str(project))
    return asked, model_line("a1", "u1", text_block("Yes."))


@pytest.mark.parametrize("names", [("my_app", "my-app"), ("プロジェクト", "приложени")])
def test_projects_whose_folders_get_one_name_keep_their_sessions(
    harness: Harness, names: tuple[str, str]
) -> None:
    first, second = (beside(harness, name) for name in names)
    run_command(first, ["One."], "-p", "In the first?")
    refused = run_command(second, [], "-c", "-p", "And?")
    assert (refused.code, "no session to continue" in refused.stderr) == (1, True)
    run_command(second, ["Two."], "-p", "In the second?")
    done = run_command(first, ["Still one."], "-c", "-p", "And?")
    assert "In the first?" in str(done.requests[0])
    assert "In the second?" not in str(done.requests[0])


def test_a_session_in_a_folder_of_another_name_is_found(harness: Harness) -> None:
    path = harness.transcript(*lines(harness.project, "Begun elsewhere?"))
    moved = path.parent.with_name("any-name")
    path.parent.rename(moved)
    done = run_command(harness, ["Yes."], "-c", "-p", "And?")
    assert "Begun elsewhere?" in str(done.requests[0])


@pytest.mark.parametrize("name", [SESSION_ID, "11111111-2222", SESSION_ID.upper()])
def test_an_id_or_its_beginning_is_taken_up(harness: Harness, name: str) -> None:
    harness.transcript(*lines(harness.project, "The first?"))
    harness.transcript(*lines(harness.project, "The other?"), session_id=OTHER_ID)
    done = run_command(harness, ["Yes."], "--resume", name, "-p", "And?")
    assert "The first?" in str(done.requests[0])


def test_the_beginning_of_several_ids_is_refused_with_them(harness: Harness) -> None:
    harness.transcript(*lines(harness.project, "The first?"))
    harness.transcript(*lines(harness.project, "The other?"), session_id=OTHER_ID)
    done = run_command(harness, [], "--resume", "1111", "-p", "And?")
    assert done.code == 1
    assert f"2 sessions: {SESSION_ID}, {OTHER_ID}" in done.stderr


def test_a_transcript_of_any_name_is_taken_up(harness: Harness) -> None:
    written = "".join(f"{json.dumps(line)}\n" for line in lines(harness.project, "In a file?"))
    path = harness.file("talk.txt", written)
    done = run_command(harness, ["Yes."], "--resume", "talk.txt", "-p", "And?")
    assert "In a file?" in str(done.requests[0])
    assert len(path.read_text().splitlines()) > 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", "# A project\n"),
        ("package.json", '{"type": "module"}\n'),
        ("data.jsonl", '{"messages": [{"role": "user", "content": "x"}]}\n'),
        ("empty.jsonl", ""),
        ("missing.jsonl", None),
        ("folder/missing", None),
        ("ffffffff", None),
    ],
)
def test_anything_else_is_refused_and_no_file_is_touched(
    harness: Harness, name: str, content: str | None
) -> None:
    if content is not None:
        harness.file(name, content)
    before = sorted(harness.home.rglob("*.jsonl"))
    done = run_command(harness, [], "--resume", name, "-p", "And?")
    assert (done.code, done.stdout) == (1, "")
    path = harness.project / name
    assert (path.read_text() if path.exists() else None) == content
    assert sorted(harness.home.rglob("*.jsonl")) == before


def test_an_empty_name_is_no_new_session(harness: Harness) -> None:
    assert run_command(harness, [], "--resume", "", "-p", "And?").code == 2
