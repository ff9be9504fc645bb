"""Glob patterns, compared with what ripgrep matches."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_agent.coding.tools.glob_pattern import compile_glob, fixed_prefix

NAMES = ("a", "ab", "b.py", "a.py")
PATHS = [
    *NAMES,
    *(f"{folder}/{name}" for folder in ("d", "ad", "d/a.d") for name in NAMES),
]
PART = st.sampled_from(["a", "b", "*", "?", "d", ".py", "**/", "/", "{a,b}", "{b,a}d", "[ab]"])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for path in PATHS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


@given(parts=st.lists(PART, min_size=1, max_size=5))
def test_a_pattern_means_what_it_means_to_ripgrep(tree: Path, parts: list[str]) -> None:
    pattern = "".join(parts).strip("/")
    if "//" in pattern or "***" in pattern or not pattern:
        pattern = "*"
    listed = subprocess.run(
        ["rg", "--no-config", "--files", "--no-ignore", f"--glob=/{pattern}"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    regex = compile_glob(pattern)
    assert {path for path in PATHS if regex.fullmatch(path)} == set(listed.stdout.split())


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("src/**/x.py", "src/x.py", True),
        ("src/**/x.py", "src/a/b/x.py", True),
        ("src/**", "src/a/b", True),
        ("*", "a/b", False),
        ("[!a]b", "cb", True),
        ("[!a]b", "/b", False),
        ("[]]", "]", True),
        ("{a,{b,c}d}", "cd", True),
        ("a{b", "a{b", True),
        ("{{name}}/*.py", "{{name}}/a.py", True),
        ("{a}", "a", False),
        ("{{a,b}}", "{b}", True),
        ("a,b", "a,b", True),
        ("a.b", "aXb", False),
    ],
)
def test_a_pattern_fits_or_not(pattern: str, path: str, fits: bool) -> None:
    assert bool(compile_glob(pattern).fullmatch(path)) is fits


def test_many_stars_do_not_take_forever() -> None:
    began = time.process_time()
    assert not compile_glob(f"{'*a' * 30}*b").fullmatch("a" * 255)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("pattern", "fixed"),
    [("a/b/*.py", "a/b"), ("*.py", ""), ("/etc/*", "/etc"), ("/*", "/"), ("../a*/b", "..")],
)
def test_the_fixed_part_is_the_folders_named_as_they_are(pattern: str, fixed: str) -> None:
    assert fixed_prefix(pattern) == fixed
