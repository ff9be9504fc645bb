"""Which files of a project are copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mini_agent.coding.sandbox.project import MAX_FILES, Project
from mini_agent.errors import BadRequest
from tests.coding.sandbox.projects import git


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")


def copied(
    root: Path, *excluded: str, include: tuple[str, ...] = (), with_git: bool = False
) -> list[str]:
    project = Project(root, os.environ, excluded, include)
    return sorted(project.snapshot(with_git=with_git))


def test_git_says_what_is_ignored_and_tracked_files_are_copied_all_the_same(root: Path) -> None:
    git(root, "init", "-q")
    put(root, "a.py", "sub/b.py", "node_modules/x/index.js", "kept.log", "x.log", ".env.example")
    (root / ".gitignore").write_text("*.log\nnode_modules/\n")
    git(root, "add", "-f", "kept.log")
    assert copied(root) == [".env.example", ".gitignore", "a.py", "kept.log", "sub/b.py"]
    assert "node_modules/x/index.js" in copied(root, include=("node_modules/",))


def test_without_git_generated_folders_are_left_out(root: Path) -> None:
    put(root, "a.py", "node_modules/x.js", "d/__pycache__/a.pyc", ".venv/bin/python", ".env")
    assert copied(root) == [".env", "a.py"]


def test_what_is_denied_is_not_copied(root: Path) -> None:
    put(root, "a.py", ".env", "conf/.env", "secrets/key")
    globs = (f"{root}/**/.env", f"{root}/secrets", f"{root}/secrets/**")
    assert copied(root, *globs) == ["a.py"]


def test_links_are_copied_as_links_and_never_followed(root: Path, tmp_path: Path) -> None:
    put(tmp_path, "outside/secret")
    git(root, "init", "-q")
    put(root, "d/x")
    git(root, "add", ".")
    (root / "file").symlink_to(tmp_path / "outside/secret")
    (root / "folder").symlink_to(tmp_path / "outside")
    # Git still lists d/x: its folder is a link to another one by now.
    (root / "d/x").unlink()
    (root / "d").rmdir()
    (root / "d").symlink_to(tmp_path / "outside")
    put(tmp_path, "outside/x")
    assert copied(root) == ["d", "file", "folder"]
    project = Project(root, os.environ)
    assert project.read("file").kind == "link"
    assert project.read("d/x").kind == "gone"
    assert project.read("folder/secret").content == b""


def test_pipes_sockets_and_files_that_cannot_be_read_do_not_stop_it(root: Path) -> None:
    put(root, "a", "locked")
    os.mkfifo(root / "pipe")
    project = Project(root, os.environ)
    assert sorted(project.snapshot(with_git=False)) == ["a", "locked"]
    assert project.read("pipe").kind == "gone"


def test_repositories_in_the_repository_are_copied_without_their_own_folder(root: Path) -> None:
    git(root, "init", "-q")
    put(root, "a", "nested/b", "nested/x.log", "deep/er/c")
    (root / "nested/.gitignore").write_text("*.log\n")
    git(root / "nested", "init", "-q")
    git(root / "deep/er", "init", "-q")
    assert copied(root) == ["a", "deep/er/c", "nested/.gitignore", "nested/b"]


def test_the_folder_of_a_larger_repository_is_the_whole_project(root: Path) -> None:
    git(root, "init", "-q")
    put(root, "a", "inner/b", "inner/x.log")
    (root / ".gitignore").write_text("*.log\n")
    assert copied(root / "inner") == ["b"]


def test_dot_git_is_copied_only_where_it_is_of_use_and_without_hooks(root: Path) -> None:
    git(root, "init", "-q")
    put(root, "a", ".git/hooks/post-checkout")
    assert copied(root) == ["a"]
    found = copied(root, with_git=True)
    assert ".git/HEAD" in found
    assert not any(path.startswith(".git/hooks") for path in found)


@pytest.mark.parametrize("nested", [False, True])
def test_a_hostile_repository_starts_nothing(root: Path, tmp_path: Path, nested: bool) -> None:
    git(root, "init", "-q")
    put(root, "a")
    hostile = root / "nested" if nested else root
    hostile.mkdir(exist_ok=True)
    if nested:
        git(hostile, "init", "-q")
        put(hostile, "b")
    canary = tmp_path / "canary"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {canary}\n")
    hook.chmod(0o755)
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.askPass", "diff.external"):
        git(hostile, "config", key, str(hook))
    git(hostile, "config", "core.hooksPath", str(tmp_path))
    git(hostile, "config", "alias.ls-files", f"!{hook}")
    (tmp_path / "post-index-change").symlink_to(hook)
    project = Project(root, os.environ)
    assert "a" in project.snapshot(with_git=True)
    assert project.find_ignored(["x", "nested/y"]) == set()
    assert not canary.exists()
    git(hostile, "status")
    assert canary.exists()


def test_a_repository_that_git_cannot_read_is_an_error_and_copies_nothing(root: Path) -> None:
    put(root, "a", ".git/HEAD")
    with pytest.raises(BadRequest, match="git cannot say"):
        copied(root)


def test_without_the_program_git_a_repository_is_an_error(root: Path) -> None:
    git(root, "init", "-q")
    project = Project(root, {"PATH": "/nowhere"})
    with pytest.raises(BadRequest, match="install git"):
        project.snapshot(with_git=False)


def test_names_are_found_ignored_whatever_they_are(root: Path) -> None:
    git(root, "init", "-q")
    (root / ".gitignore").write_text("*.log\nbuild/\n")
    names = [":x.log", ":(exclude)y", "a b.log", "new\nline.log", "build/out", "-n.log", "a.py"]
    ignored = Project(root, os.environ).find_ignored([*names, "__pycache__/x.pyc"])
    assert ignored == {*names} - {":(exclude)y", "a.py"} | {"__pycache__/x.pyc"}


def test_more_files_than_a_sandbox_holds_are_an_error_that_says_what_to_do(root: Path) -> None:
    for number in range(MAX_FILES + 1):
        (root / str(number)).touch()
    with pytest.raises(BadRequest, match=r"more than 15000 files.*\.gitignore"):
        copied(root)
