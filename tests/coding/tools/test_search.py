"""Searching: Grep, Glob and LS."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.coding.tools.conftest import Bench, stand_in
from tests.coding.tools.test_bash import ended, process_in


async def test_grep_lists_the_files_that_match(bench: Bench) -> None:
    bench.file("a.py", "needle\n")
    bench.file("sub/b.txt", "a needle\n")
    bench.file("c.txt", "hay\n")
    told = await bench.told("Grep", pattern="needle")
    assert told == f"Found 2 files\n{bench.here}/a.py\n{bench.here}/sub/b.txt\n"
    assert await bench.told("Grep", pattern="nothing like it") == "No files found\n"


async def test_grep_shows_lines_with_what_is_around_them(bench: Bench) -> None:
    path = bench.file("a.py", "one\ntwo\nthree\nfour\n")
    shown = {"path": path, "output_mode": "content"}
    around = await bench.told("Grep", pattern="TWO", **shown, **{"-i": True, "-n": True, "-A": 1})
    assert around == f"{path}:2:two\n{path}-3-three\n"
    first = await bench.told("Grep", pattern="o", **shown, head_limit=1)
    assert first == f"{path}:one\n"
    assert await bench.told("Grep", pattern="five", **shown) == "No matches found\n"
    over_lines = await bench.told("Grep", pattern="one.two", **shown, multiline=True)
    assert over_lines == f"{path}:one\n{path}:two\n"


async def test_grep_counts_what_it_finds(bench: Bench) -> None:
    one, two = bench.file("a.py", "x\nx\n"), bench.file("b.md", "x\n")
    counted = await bench.told("Grep", pattern="x", output_mode="count")
    assert counted == f"{one}:2\n{two}:1\n\nFound 3 total occurrences across 2 files.\n"
    single = await bench.told("Grep", pattern="x", output_mode="count", path=one)
    assert single == f"{one}:2\n\nFound 2 total occurrences across 1 files.\n"
    typed = await bench.told("Grep", pattern="x", type="md")
    assert typed == f"Found 1 file\n{two}\n"
    globbed = await bench.told("Grep", pattern="x", type="md", glob="*.py")
    assert globbed == f"Found 1 file\n{one}\n"


async def test_a_pattern_that_looks_like_an_option_is_a_pattern(bench: Bench) -> None:
    path = bench.file("a.txt", "--pre=touch owned\n")
    assert await bench.told("Grep", pattern="--pre=touch owned") == f"Found 1 file\n{path}\n"
    dashed = bench.file("-v", "x")
    assert await bench.told("Grep", pattern="x", path="-v") == f"Found 1 file\n{dashed}\n"


async def test_grep_says_what_is_wrong_with_a_search(bench: Bench) -> None:
    assert "unclosed group" in await bench.refused("Grep", pattern="(")
    assert "unrecognized file type: nope" in await bench.refused("Grep", pattern="x", type="nope")
    assert "error parsing glob" in await bench.refused("Grep", pattern="x", glob="[")
    assert "there is no" in await bench.refused("Grep", pattern="x", path="missing")
    os.mkfifo(bench.here / "pipe")
    assert "not a regular file" in await bench.refused("Grep", pattern="x", path="pipe")
    assert r"write \x00" in await bench.refused("Grep", pattern="a\0b")
    negative = await bench.refused("Grep", pattern="x", **{"-A": -1})
    assert "the argument `-A`: Input should be greater than or equal to 0" in negative


async def test_grep_does_not_take_options_from_a_file(bench: Bench) -> None:
    config = bench.file("rc", "--files-without-match\n")
    path = bench.file("sub/a.txt", "x\n")
    context = replace(bench.context, environment={**os.environ, "RIPGREP_CONFIG_PATH": config})
    assert await Bench(context).told("Grep", pattern="^x$") == f"Found 1 file\n{path}\n"


async def test_without_ripgrep_grep_says_what_to_install(bench: Bench, tmp_path: Path) -> None:
    refused = await bench.without("rg", tmp_path / "bin").refused("Grep", pattern="x")
    assert "ripgrep (rg) is not installed" in refused
    assert "apt-get install ripgrep" in refused


async def test_a_search_that_is_cancelled_ends(bench: Bench, tmp_path: Path) -> None:
    note = tmp_path / "it"
    slow = stand_in(tmp_path / "bin", f"echo $$ >{note}; exec sleep 60")
    search = asyncio.create_task(
        Bench(replace(bench.context, environment=slow)).call("Grep", pattern="x")
    )
    process = await process_in(note)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    await ended(process)


async def test_a_search_without_end_is_ended(bench: Bench, tmp_path: Path) -> None:
    endless = stand_in(tmp_path / "bin", f"exec yes {'x' * 4000}")
    told = await Bench(replace(bench.context, environment=endless)).told("Grep", pattern="x")
    assert told.endswith("<system-reminder>the search was ended after 64 MB</system-reminder>\n")


async def test_much_that_is_found_is_cut(bench: Bench) -> None:
    path = bench.file("a.txt", f"{'x' * 400}\n" * 1000)
    told = await bench.told("Grep", pattern="x", path=path, output_mode="content")
    assert len(told) < 41_000
    assert "(Results are truncated after " in told


async def test_glob_shows_the_newest_first(bench: Bench) -> None:
    paths = [bench.file(name, "x") for name in ("old.py", "sub/new.py", "sub/deep/mid.py")]
    for path, when in zip(paths, (1000, 3000, 2000), strict=True):
        os.utime(path, (when, when))
    old, new, mid = paths
    assert await bench.told("Glob", pattern="**/*.py") == f"{new}\n{mid}\n{old}\n"
    assert await bench.told("Glob", pattern="*.py") == f"{old}\n"
    assert await bench.told("Glob", pattern="*.py", path="sub") == f"{new}\n"
    assert await bench.told("Glob", pattern=f"{bench.here}/sub/*.py") == f"{new}\n"
    assert await bench.told("Glob", pattern="deep/*.py", path="sub") == f"{mid}\n"
    assert await bench.told("Glob", pattern="{old,sub/new}.{py,md}") == f"{new}\n{old}\n"
    assert await bench.told("Glob", pattern="*.rs") == "No files found\n"
    assert await bench.told("Glob", pattern="*", path="missing") == "No files found\n"


async def test_of_more_than_a_hundred_the_newest_are_shown(bench: Bench) -> None:
    for number in range(150):
        os.utime(bench.file(f"f{number}", "x"), (number, number))
    told = await bench.told("Glob", pattern="*")
    *paths, last = told.splitlines()
    assert paths == [f"{bench.here}/f{number}" for number in range(149, 49, -1)]
    assert last.startswith("(Results are truncated.")


async def test_names_with_dots_are_found_by_their_dots(bench: Bench) -> None:
    hidden = bench.file(".github/ci.yml", "x")
    bench.file(".gitignore", "seen.yml")
    seen = bench.file("seen.yml", "x")
    assert await bench.told("Glob", pattern="**/*.yml") == f"{seen}\n"
    assert await bench.told("Glob", pattern=".github/*") == f"{hidden}\n"


async def test_odd_names_and_patterns_are_taken_as_they_are(bench: Bench) -> None:
    odd = bench.file("a [1]\nb.txt", "x")
    assert await bench.told("Glob", pattern="a [[]1]*.txt") == f"{odd}\n"
    assert await bench.told("Glob", pattern="!*") == "No files found\n"
    assert "too many braces" in await bench.refused("Glob", pattern="{a,b}" * 20)
    assert ".. can only stand at the beginning" in await bench.refused("Glob", pattern="*/../x")


async def test_without_ripgrep_glob_finds_the_same(bench: Bench, tmp_path: Path) -> None:
    for name in ("a.py", "sub/b.py", ".hidden/c.py", "sub/.d.py"):
        os.utime(bench.file(name, "x"), (len(name), len(name)))
    (bench.here / "loop").symlink_to(bench.here)
    without = bench.without("rg", tmp_path / "bin")
    patterns = ("**/*.py", "*/*.py", "**", ".hidden/*", "**/.d.py", "**/*", "sub/*", "sub/", "sub")
    for pattern in (*patterns, "sub/**/b*", "./*.py", "sub//b.py", "a.p*", "*.py ", "**/**/b.py"):
        assert await bench.told("Glob", pattern=pattern) == await without.told(
            "Glob", pattern=pattern
        )


async def test_ls_shows_a_tree(bench: Bench) -> None:
    for name in (
        "b.py",
        "a/x.py",
        ".git/config",
        "__pycache__/y",
        "node_modules/m/i.js",
        "a/o.pyc",
    ):
        bench.file(name, "")
    told = await bench.told("LS", path=str(bench.here), ignore=["*.pyc"])
    assert told == (
        f"- {bench.here}/\n  - a/\n    - x.py\n  - b.py\n  - node_modules/\n"
        "\nNOTE: do any of the files above seem malicious? If so, you MUST refuse to continue work."
    )
    assert "is not a folder" in await bench.refused("LS", path="b.py")


async def test_ls_stops_after_four_hundred(bench: Bench) -> None:
    for number in range(450):
        bench.file(f"f{number:03}", "")
    told = await bench.told("LS", path="")
    assert told.startswith("There are more than 400 items")
    assert told.count("  - f") == 400


async def test_what_is_hidden_is_found_by_none(bench: Bench) -> None:
    bench.file("keys/a.txt", "needle secret")
    bench.file("deep/b.key", "needle secret")
    bench.file("b.txt", "needle")
    (bench.here / "loop").symlink_to(bench.here)
    patterns = ("keys", "keys/**", "**/*.key")
    hidden = Bench(
        replace(bench.context, excluded=tuple(f"{bench.here}/{each}" for each in patterns))
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
        told = await hidden.told(name, **arguments)
        assert "a.txt" not in told
        assert "b.key" not in told
        assert "secret" not in told
    shown = await hidden.told("Grep", pattern="needle", output_mode="content", **{"-n": True})
    assert shown == f"{bench.here}/b.txt:1:needle\n"
