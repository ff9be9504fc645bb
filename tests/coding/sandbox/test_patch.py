"""Patches are what `git apply` takes, and it makes of the project what the sandbox had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mini_agent.coding.sandbox.entries import Entry, EntryFacts
from mini_agent.coding.sandbox.patch import FileChange, format_patch, format_summary
from mini_agent.coding.sandbox.project import Project
from tests.coding.sandbox.projects import fingerprint, git

LONG = b"".join(b"line %d\n" % number for number in range(9000))
CONTENTS: dict[str, tuple[bytes | None, bytes | None]] = {
    "changed.txt": (b"one\ntwo\nthree\n", b"one\n2\nthree\n"),
    "new.txt": (None, b"new\n"),
    "gone.txt": (b"gone\n", None),
    "empty-new": (None, b""),
    "empty-gone": (b"", None),
    "emptied": (b"x\n", b""),
    "filled": (b"", b"x"),
    "no-newline": (b"a\nb", b"a\nc"),
    "newline-added": (b"a\nb", b"a\nb\n"),
    "newline-taken": (b"a\nb\n", b"a\nb"),
    "crlf": (b"a\r\nb\r\n", b"a\r\nc\r\n"),
    "lone-cr": (b"a\rb\x0cc\n", b"a\rB\x0cc\n"),
    "latin-1": (b"caf\xe9\n", b"caf\xe9s\n"),
    "binary": (b"\0\1\2", bytes(range(256)) * 40),
    "binary-new": (None, b"\0" + os.urandom(3000)),
    "binary-gone": (b"\0\1", None),
    "long": (LONG, LONG.replace(b"line 50\n", b"fifty\n").replace(b"line 8000\n", b"")),
    "long-new": (b"x\n", LONG),
    "long-end": (LONG, LONG + b"the end"),
    "a b.txt": (b"a\n", b"b\n"),
    'quo"te\\.txt': (b"a\n", b"b\n"),
    "new\nline\t.txt": (b"a\n", b"b\n"),
    "日本.txt": (b"a\n", b"b\n"),
    os.fsdecode(b"caf\xe9"): (b"a\n", b"b\n"),
    "-dash": (b"a\n", b"b\n"),
    "sub/deep/file": (None, b"deep\n"),
}


def entry(path: str, content: bytes | None, *, executable: bool = False) -> Entry:
    if content is None:
        return Entry(EntryFacts(path, "gone"))
    return Entry(EntryFacts(path, "file", executable, size=len(content)), content)


@pytest.mark.parametrize("path", CONTENTS)
def test_git_applies_it(tmp_path: Path, path: str) -> None:
    git(tmp_path, "init", "-q")
    before, after = CONTENTS[path]
    if before is not None:
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_bytes(before)
    change = FileChange(Project(tmp_path, os.environ).read(path), entry(path, after))
    git(tmp_path, "apply", "-", stdin=format_patch([change]))
    assert ((tmp_path / path).read_bytes() if (tmp_path / path).exists() else None) == after


def test_modes_and_links_are_in_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for name in ("run", "stop", "to-link"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "stop").chmod(0o755)
    (tmp_path / "moved").symlink_to("run")
    after = [
        entry("run", b"x\n", executable=True),
        entry("stop", b"y\n"),
        Entry(EntryFacts("to-link", "link", target="run")),
        Entry(EntryFacts("moved", "link", target="stop")),
        entry("new", b"#!\n", executable=True),
    ]
    project = Project(tmp_path, os.environ)
    changes = [FileChange(project.read(each.path), each) for each in after]
    git(tmp_path, "apply", "-", stdin=format_patch(changes))
    found = fingerprint(tmp_path)
    assert os.access(tmp_path / "run", os.X_OK)
    assert not os.access(tmp_path / "stop", os.X_OK)
    assert os.access(tmp_path / "new", os.X_OK)
    assert found["to-link"][1] == "run"
    assert found["moved"][1] == "stop"
    assert format_summary(changes, 3) == "M run\nM stop\nM to-link\n... and 2 more"


def test_a_file_s_name_cannot_pass_for_a_line_of_the_patch(tmp_path: Path) -> None:
    name = "x\n+++ b/.bashrc"
    patch = format_patch([FileChange(entry(name, None), entry(name, b"x\n"))])
    assert b"\n+++ b/.bashrc" not in patch
