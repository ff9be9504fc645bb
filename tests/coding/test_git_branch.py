"""The branch that a session records, read from a repository as git leaves it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mini_agent.coding.launch import read_git_branch


def git(folder: Path, *arguments: str) -> None:
    own = ("-c", "user.name=n", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "deep").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def test_the_branch_of_a_repository_and_of_folders_in_it(repository: Path) -> None:
    assert read_git_branch(repository) == "main"
    assert read_git_branch(repository / "deep") == "main"
    git(repository, "checkout", "-q", "-b", "feature/x")
    assert read_git_branch(repository) == "feature/x"


def test_the_branch_of_a_worktree_is_its_own(repository: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "other", "../tree")
    assert read_git_branch(repository.parent / "tree") == "other"
    assert read_git_branch(repository) == "main"
    (repository.parent / "tree" / "sub").mkdir()
    assert read_git_branch(repository.parent / "tree" / "sub") == "other"


def test_the_branch_of_a_submodule_is_its_own(repository: Path, tmp_path: Path) -> None:
    git(repository, "branch", "there")
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "trunk")
    git(outer, "submodule", "add", "-q", "-b", "there", str(repository), "inner")
    assert read_git_branch(outer / "inner") == "there"
    assert read_git_branch(outer) == "trunk"


def test_without_a_branch_it_is_head(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert read_git_branch(repository) == "HEAD"
    git(repository, "worktree", "add", "-q", "--detach", "../tree")
    assert read_git_branch(repository.parent / "tree") == "HEAD"


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    assert read_git_branch(tmp_path) == ""
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert read_git_branch(tmp_path) == ""
    (tmp_path / ".git").write_bytes(b"\xff\0\xfe")
    assert read_git_branch(tmp_path) == ""
