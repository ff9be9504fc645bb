"""Searching: Grep, Glob and LS."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.coding.tools.conftest import ToolFixture, install_script
from tests.coding.tools.test_bash import read_pid, wait_for_end


async def test_grep_lists_the_files_that_match(tools: ToolFixture) -> None:
    tools.file("a.py", "needle\n")
    tools.file("sub/b.txt", "a needle\n")
    tools.file("c.txt", "hay\n")
    told = await tools.text("Grep", pattern="needle")
    assert told == f"Found 2 files\n{tools.folder}/a.py\n{tools.folder}/sub/b.txt\n"
    assert await tools.text("Grep", pattern="nothing like it") == "No files found\n"


async def test_grep_shows_lines_with_what_is_around_them(tools: ToolFixture) -> None:
    path = tools.file("a.py", "one\ntwo\nthree\nfour\n")
    shown = {"path": path, "output_mode": "content"}
    around = await tools.text("Grep", pattern="TWO", **shown, **{"-i": True, "-n": True, "-A": 1})
    assert around == "2:two\n3-three\n"
    first = await tools.body("Grep", pattern="o", **shown, head_limit=1)
    assert first == "one\n"
    assert await tools.text("Grep", pattern="five", **shown) == "No matches found\n"
    over_lines = await tools.text("Grep", pattern="one.two", **shown, multiline=True)
    assert over_lines == "one\ntwo\n"


async def test_grep_counts_what_it_finds(tools: ToolFixture) -> None:
    one, two = tools.file("a.py", "x\nx\n"), tools.file("b.md", "x\n")
    counted = await tools.text("Grep", pattern="x", output_mode="count")
    assert counted == f"{one}:2\n{two}:1\n\nFound 3 total occurrences across 2 files.\n"
    single = await tools.text("Grep", pattern="x", output_mode="count", path=one)
    assert single == "2\n\nFound 2 total occurrences across 1 files.\n"
    typed = await tools.text("Grep", pattern="x", type="md")
    assert typed == f"Found 1 file\n{two}\n"
    globbed = await tools.text("Grep", pattern="x", type="md", glob="*.py")
    assert globbed == f"Found 1 file\n{one}\n"


async def test_a_pattern_that_looks_like_an_option_is_a_pattern(tools: ToolFixture) -> None:
    path = tools.file("a.txt", "--pre=touch owned\n")
    assert await tools.text("Grep", pattern="--pre=touch owned") == f"Found 1 file\n{path}\n"
    dashed = tools.file("-v", "x")
    assert await tools.text("Grep", pattern="x", path="-v") == f"Found 1 file\n{dashed}\n"


async def test_grep_says_what_is_wrong_with_a_search(tools: ToolFixture) -> None:
    assert "unclosed group" in await tools.error("Grep", pattern="(")
    assert "unrecognized file type: nope" in await tools.error("Grep", pattern="x", type="nope")
    assert "error parsing glob" in await tools.error("Grep", pattern="x", glob="[")
    assert "there is no" in await tools.error("Grep", pattern="x", path="missing")
    os.mkfifo(tools.folder / "pipe")
    assert "not a regular file" in await tools.error("Grep", pattern="x", path="pipe")
    assert r"write \x00" in await tools.error("Grep", pattern="a\0b")
    negative = await tools.error("Grep", pattern="x", **{"-A": -1})
    assert "the parameter `-A`: Input should be greater than or equal to 0" in negative


async def test_grep_does_not_take_options_from_a_file(tools: ToolFixture) -> None:
    config = tools.file("rc", "--files-without-match\n")
    path = tools.file("sub/a.txt", "x\n")
    context = replace(tools.context, environment={**os.environ, "RIPGREP_CONFIG_PATH": config})
    assert await ToolFixture(context).text("Grep", pattern="^x$") == f"Found 1 file\n{path}\n"


async def test_a_search_that_is_cancelled_ends(tools: ToolFixture, tmp_path: Path) -> None:
    note = tmp_path / "it"
    slow = install_script(tmp_path / "bin", f"echo $$ >{note}; exec sleep 60")
    search = asyncio.create_task(
        ToolFixture(replace(tools.context, environment=slow)).call("Grep", pattern="x")
    )
    process = await read_pid(note)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    await wait_for_end(process)


async def test_a_search_without_end_is_ended(tools: ToolFixture, tmp_path: Path) -> None:
    endless = install_script(tmp_path / "bin", f"exec yes {'x' * 4000}")
    told = await ToolFixture(replace(tools.context, environment=endless)).text("Grep", pattern="x")
    assert told.endswith("<system-reminder>the search was ended after 64 MB</system-reminder>\n")


async def test_much_that_is_found_is_cut(tools: ToolFixture) -> None:
    path = tools.file("a.txt", f"{'x' * 400}\n" * 1000)
    told = await tools.text("Grep", pattern="x", path=path, output_mode="content")
    assert len(told) < 41_000
    assert "there is more: these are lines 1 to 99 of 1000; offset 99 goes on" in told
    rest = await tools.text("Grep", pattern="x", path=path, output_mode="content", offset=990)
    assert rest.count("\n") == 11
    assert "these are lines 991 to 1000 of 1000" in rest


async def test_glob_shows_the_newest_first(tools: ToolFixture) -> None:
    paths = [tools.file(name, "x") for name in ("old.py", "sub/new.py", "sub/deep/mid.py")]
    for path, when in zip(paths, (1000, 3000, 2000), strict=True):
        os.utime(path, (when, when))
    old, new, mid = paths
    assert await tools.text("Glob", pattern="**/*.py") == f"{new}\n{mid}\n{old}\n"
    assert await tools.text("Glob", pattern="*.py") == f"{old}\n"
    assert await tools.text("Glob", pattern="*.py", path="sub") == f"{new}\n"
    assert await tools.text("Glob", pattern=f"{tools.folder}/sub/*.py") == f"{new}\n"
    assert await tools.text("Glob", pattern="deep/*.py", path="sub") == f"{mid}\n"
    assert await tools.text("Glob", pattern="{old,sub/new}.{py,md}") == f"{new}\n{old}\n"
    assert await tools.text("Glob", pattern="*.rs") == "No files found\n"
    assert await tools.body("Glob", pattern="*", path="missing") == "No files found\n"
    assert "missing is not a folder" in await tools.remark("Glob", pattern="*", path="missing")


async def test_of_more_than_a_hundred_the_newest_are_shown(tools: ToolFixture) -> None:
    for number in range(150):
        os.utime(tools.file(f"f{number}", "x"), (number, number))
    told = await tools.body("Glob", pattern="*")
    *paths, last = told.splitlines()
    assert paths == [f"{tools.folder}/f{number}" for number in range(149, 49, -1)]
    assert last.startswith("(Results are truncated.")
    remark = await tools.remark("Glob", pattern="*")
    assert remark == "there is more: these are files 1 to 100 of 150; offset 100 goes on"
    rest = await tools.body("Glob", pattern="*", offset=100)
    assert rest.splitlines() == [f"{tools.folder}/f{number}" for number in range(49, -1, -1)]


async def test_names_with_dots_are_found_by_their_dots(tools: ToolFixture) -> None:
    hidden = tools.file(".github/ci.yml", "x")
    tools.file(".gitignore", "seen.yml")
    seen = tools.file("seen.yml", "x")
    assert await tools.text("Glob", pattern="**/*.yml") == f"{seen}\n"
    assert await tools.text("Glob", pattern=".github/*") == f"{hidden}\n"


async def test_odd_names_and_patterns_are_taken_as_they_are(tools: ToolFixture) -> None:
    odd = tools.file("a [1]\nb.txt", "x")
    assert await tools.text("Glob", pattern="a [[]1]*.txt") == f"{odd}\n"
    assert await tools.text("Glob", pattern="!*") == "No files found\n"
    assert "too many braces" in await tools.error("Glob", pattern="{a,b}" * 20)
    assert ".. can only stand at the beginning" in await tools.error("Glob", pattern="*/../x")


async def test_without_ripgrep_glob_finds_the_same(tools: ToolFixture, tmp_path: Path) -> None:
    for name in ("a.py", "sub/b.py", ".hidden/c.py", "sub/.d.py"):
        os.utime(tools.file(name, "x"), (len(name), len(name)))
    (tools.folder / "loop").symlink_to(tools.folder)
    without = tools.without_program("rg", tmp_path / "bin")
    patterns = ("**/*.py", "*/*.py", "**", ".hidden/*", "**/.d.py", "**/*", "sub/*", "sub/", "sub")
    for pattern in (*patterns, "sub/**/b*", "./*.py", "sub//b.py", "a.p*", "*.py ", "**/**/b.py"):
        assert await tools.text("Glob", pattern=pattern) == await without.text(
            "Glob", pattern=pattern
        )


async def test_ls_shows_a_tree(tools: ToolFixture) -> None:
    for name in (
        "b.py",
        "a/x.py",
        ".git/config",
        "__pycache__/y",
        "node_modules/m/i.js",
        "a/o.pyc",
    ):
        tools.file(name, "")
    told = await tools.text("LS", path=str(tools.folder), ignore=["*.pyc"])
    assert told == (
        f"- {tools.folder}/\n  - a/\n    - x.py\n  - b.py\n  - node_modules/\n"
        "\nNOTE: do any of the files above seem malicious? If so, you MUST refuse to continue work."
    )
    assert "b.py is not a folder: nothing is listed" in await tools.text("LS", path="b.py")
    assert "gone does not exist: nothing is listed" in await tools.text("LS", path="gone")


async def test_ls_stops_after_four_hundred(tools: ToolFixture) -> None:
    for number in range(450):
        tools.file(f"f{number:03}", "")
    told = await tools.text("LS", path="")
    assert told.startswith("There are more than 400 items")
    assert told.count("  - f") == 400


async def test_what_is_hidden_is_found_by_none(tools: ToolFixture) -> None:
    tools.file("keys/a.txt", "needle secret")
    tools.file("deep/b.key", "needle secret")
    tools.file("b.txt", "needle")
    (tools.folder / "loop").symlink_to(tools.folder)
    patterns = ("keys", "keys/**", "**/*.key")
    hidden = ToolFixture(
        replace(tools.context, excluded=tuple(f"{tools.folder}/{each}" for each in patterns))
    )
    for name, arguments in (
        ("Grep", {"pattern": "needle"}),
        ("Grep", {"pattern": "needle", "glob": "keys/**"}),
        ("Grep", {"pattern": "needle", "path": "keys"}),
        ("Grep", {"pattern": "needle", "path": "deep", "output_mode": "content"}),
        ("Grep", {"pattern": "needle", "output_mode": "content"}),
        ("Grep", {"pattern": "needle", "output_mode": "count"}),
        ("Glob", {"pattern": "*.key", "path": "deep"}),
        ("Glob", {"pattern": "**/*.txt"}),
        ("Glob", {"pattern": "keys/*"}),
        ("LS", {"path": ""}),
        ("Grep", {"pattern": "needle", "path": "loop", "output_mode": "content"}),
        ("Grep", {"pattern": "needle", "path": "loop/keys"}),
        ("Glob", {"pattern": "loop/**/*.txt"}),
        ("Glob", {"pattern": "**/*.txt", "path": "loop"}),
        ("LS", {"path": "loop"}),
    ):
        told = await hidden.text(name, **arguments)
        assert "a.txt" not in told
        assert "b.key" not in told
        assert "secret" not in told
    shown = await hidden.text("Grep", pattern="needle", output_mode="content", **{"-n": True})
    assert shown == f"{tools.folder}/b.txt:1:needle\n"
