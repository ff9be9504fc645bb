"""What a sandbox may send, and what of it is never written to a project."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mini_agent.coding.sandbox.apply import apply_entries, find_flaw
from mini_agent.coding.sandbox.entries import Entry, EntryFacts, Kind
from mini_agent.coding.sandbox.project import FileStamp
from tests.coding.sandbox.projects import fingerprint

LONG = "/".join(["d" * 200] * 21)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def file(path: str, content: bytes = b"new", *, executable: bool = False) -> Entry:
    return Entry(EntryFacts(path, "file", executable, size=len(content)), content)


def other(path: str, kind: Kind, target: str = "") -> Entry:
    return Entry(EntryFacts(path, kind, target=target))


def stamp(path: Path) -> FileStamp | None:
    return FileStamp.from_status(path.lstat()) if os.path.lexists(path) else None


def apply(project: Path, *entries: Entry) -> dict[str, str]:
    """Apply what nothing on the host has changed meanwhile."""
    stamps = {
        entry.path: stamp(project / entry.path) for entry in entries if "\0" not in entry.path
    }
    return {entry.path: why for entry, why in apply_entries(project, entries, stamps.get)}


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/x",
        "a/../../x",
        "a/../x",
        "",
        ".",
        "a//x",
        "a/",
        "./a",
        "..",
        "a\0b",
        "x" * 256,
        LONG,
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(project: Path, path: str) -> None:
    before = fingerprint(project.parent)
    assert apply(project, file(path)) == {path: "no path in the project"}
    assert apply(project, other(path, "gone")) == {path: "no path in the project"}
    assert fingerprint(project.parent) == before


@pytest.mark.parametrize(
    "path", [".git", ".git/hooks/pre-commit", "sub/.git/config", ".GIT/config", "a/.Git"]
)
@pytest.mark.parametrize("kind", ["file", "gone", "link", "folder"])
def test_a_repository_s_own_folder_is_refused(project: Path, path: str, kind: Kind) -> None:
    (project / ".git/hooks").mkdir(parents=True)
    before = fingerprint(project)
    assert apply(project, other(path, kind, "x")) == {path: "a repository's own folder"}
    assert fingerprint(project) == before


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "..", "../..", "../../x", "a/../../..", "a/..", "", "/", "x\0y", "sub/../x"],
)
def test_a_link_that_leads_out_is_refused(project: Path, target: str) -> None:
    (project / "sub").mkdir()
    for path in ("link", "sub/link"):
        entry = other(path, "link", target)
        if (path, target) == ("sub/link", ".."):
            assert find_flaw(entry) == ""
            continue
        assert apply(project, entry) == {path: "a link that leads out of the project"}
        assert not os.path.lexists(project / path)


def test_a_link_that_stays_inside_is_made(project: Path) -> None:
    assert apply(project, other("sub/link", "link", "../a.txt"), file("a.txt")) == {
        "sub/link": "",
        "a.txt": "",
    }
    assert (project / "sub/link").read_bytes() == b"new"


def test_a_device_is_refused(project: Path) -> None:
    assert apply(project, other("tty", "other")) == {"tty": "neither file, folder nor link"}
    assert list(project.iterdir()) == []


def test_nothing_is_written_or_removed_through_a_link(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("theirs")
    (project / "out").symlink_to(outside)
    (project / "file").symlink_to(outside / "x")
    done = apply(project, file("out/x"), file("out/new/y"), other("out/x", "gone"))
    assert all(done.values())
    # A link itself is replaced, what it leads to is not.
    assert apply(project, file("file")) == {"file": ""}
    assert (outside / "x").read_text() == "theirs"
    assert list(outside.iterdir()) == [outside / "x"]
    assert not (project / "file").is_symlink()


def test_a_link_among_the_changes_is_no_way_out_for_the_others(project: Path) -> None:
    (project / "d").mkdir()
    done = apply(project, other("d/up", "link", ".."), file("d/up/up-there"), file("d/up/d/x"))
    assert done["d/up"] == "" or done["d/up/up-there"]
    assert not (project.parent / "up-there").exists()
    assert not (project / "up-there").exists()


def test_what_has_changed_since_it_was_copied_is_not_overwritten(project: Path) -> None:
    path = project / "a.txt"
    path.write_text("old")
    copied = stamp(path)
    path.write_text("newer")
    for entry in (file("a.txt"), other("a.txt", "gone"), other("a.txt", "link", "b")):
        (done,) = apply_entries(project, [entry], lambda _path: copied)
        assert done[1] == "changed in the project meanwhile"
    assert path.read_text() == "newer"
    (done,) = apply_entries(project, [file("a.txt")], lambda _path: None)
    assert done[1] == "changed in the project meanwhile"


def test_only_the_bit_to_execute_comes_from_the_sandbox(project: Path) -> None:
    for name, mode in (("plain", 0o640), ("run", 0o750), ("suid", 0o4755)):
        (project / name).write_text("old")
        (project / name).chmod(mode)
    apply(
        project,
        file("plain", executable=True),
        file("run"),
        file("suid", executable=True),
        file("new", executable=True),
    )
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in project.iterdir()}
    usual = 0o777 & ~_umask()
    assert modes == {"plain": 0o750, "run": 0o640, "suid": 0o755, "new": usual}


def test_other_names_of_a_file_see_the_change(project: Path) -> None:
    (project / "a").write_text("old and long")
    os.link(project / "a", project / "b")
    assert apply(project, file("a")) == {"a": ""}
    assert (project / "b").read_bytes() == b"new"


def test_a_folder_takes_the_place_of_a_file_and_a_file_that_of_a_folder(project: Path) -> None:
    (project / "a").write_text("a")
    (project / "d").mkdir()
    (project / "d/x").write_text("x")
    changes = (other("a", "gone"), file("a/b"), other("d/x", "gone"), other("d", "gone"))
    assert set(apply(project, *changes).values()) == {""}
    assert (project / "a/b").read_bytes() == b"new"
    assert not (project / "d").exists()
    (project / "e").mkdir()
    assert apply(project, file("e")) == {"e": ""}


def test_a_folder_with_files_that_were_not_copied_stays(project: Path) -> None:
    (project / "d").mkdir()
    (project / "d/.env").write_text("KEY=1")
    assert apply(project, other("d", "gone")) == {"d": ""}
    assert (project / "d/.env").exists()
    (said,) = apply(project, file("d")).values()
    assert said
    assert (project / "d/.env").exists()


def test_a_name_that_does_not_fit_leaves_nothing_behind(project: Path) -> None:
    name = "n" * 255
    assert apply(project, file(name)) == {name: ""}
    assert [path.name for path in project.iterdir()] == [name]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
