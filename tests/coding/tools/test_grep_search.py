"""Grep: by ripgrep and without it, with the same answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.coding.tools.conftest import ToolFixture, install_script

FILES: dict[str, bytes] = {
    ".gitignore": b"build/\n*.log\n!keep.log\n",
    "build/a.py": b"needle\n",
    "x.log": b"needle\n",
    "keep.log": b"needle\n",
    "a.py": b"one\nneedle two\nthree\nfour\nfive\nneedle six\n",
    "sub/b.ts": b"needle\r\nneedle end\r\nfoo\r\n",
    "sub/.gitignore": b"*.tmp\n",
    "sub/c.tmp": b"needle",
    "app/[id]/page.tsx": b"needle",
    "app/[post-id]/p.tsx": b"needle",
    "app/[[...slug]]/s.tsx": b"needle",
    "app/i/p.tsx": b"needle",
    "{{name}}/t.py": b"needle",
    ".hidden/h.py": b"needle",
    "bin.dat": b"needle\0needle\n",
    "wide.txt": "needle ü\n".encode("utf-16"),
    "latin.txt": b"n\xe4he needle",
    "no end": b"needle",
    "bom.txt": b"\xef\xbb\xbfneedle\n",
    "empty": b"",
    "Makefile": b"needle:\n",
    "deep/x/y/z.js": b"foo needle(bar)\n{\n}\n",
    "-v.txt": b"--needle\n",
}
MODES = ("content", "count", "files_with_matches")
PATTERNS = (
    *("needle", "^needle$", "end$", r"needle\b.*", "NEEDLE", "(?i)NEEDLE", r"\bt\w+", "^$"),
    *("[[:alpha:]]+ two", r"\p{L}+ six", r"\pL+ six", r"\x{6e}eedle", "x{2}", "five|two", "z*"),
    *("(?<=needle )two", r"(n)e\1", "needle(?! two)", r"foo needle\(", "--needle", r"[^a-z\n]+"),
)
GLOBS = (
    *(
        "*.py",
        "*.{py,ts}",
        "*.{p{y,z},ts}",
        "app/[id]/*.tsx",
        "app/[post-id]/*",
        "[ab].py",
        "/a.py",
    ),
    *(
        "app/[[...slug]]/*",
        "*.py,*.ts",
        "*.py, *.ts",
        "*.py *.ts",
        "!*.py",
        "*.tsx,!p.tsx",
        "{a,}.py",
    ),
    *("**/b.ts", "sub/**", ".hidden/**", "*.h*", "deep", "**/x/**", "no end", "[x-].py"),
)


def search(pattern: str = "needle", **more: JsonValue) -> dict[str, JsonValue]:
    return {"pattern": pattern, **more}


SEARCHES = [
    *map(search, PATTERNS),
    *(search(glob=glob) for glob in GLOBS),
    *(search(type=name) for name in ("py", "js", "ts", "make", "txt")),
    *(search(path=path) for path in ("a.py", "sub", "build", "build/a.py", "bin.dat", "wide.txt")),
    *(search(path=path) for path in (".hidden", "link.py", "app/[id]", "latin.txt")),
    search(r"needle.*three|foo.*\}", multiline=True),
    search("needle end\nfoo", multiline=True),
    search(r"needle end\nfoo", multiline=True),
    search("needle end$", multiline=True),
    {**search(), "-A": 1},
    {**search(), "-B": 1, "-n": True},
    {**search(path="a.py"), "-C": 9},
    {**search("NEEDLE"), "-i": True},
]


@pytest.fixture
def searched(tools: ToolFixture) -> ToolFixture:
    (tools.folder / ".git").mkdir()
    for name, content in FILES.items():
        tools.file(name, content)
    (tools.folder / "link.py").symlink_to(tools.folder / "a.py")
    return tools


@pytest.mark.parametrize("mode", MODES)
async def test_without_ripgrep_the_answers_are_the_same(
    searched: ToolFixture, tmp_path: Path, mode: str
) -> None:
    without = searched.without_program("rg", tmp_path / "bin")
    for each in SEARCHES:
        told = await searched.call("Grep", output_mode=mode, **each)
        own = await without.call("Grep", output_mode=mode, **each)
        text = told.model_text.replace(
            "<system-reminder>look-around and backreferences were matched by PCRE2"
            "</system-reminder>\n",
            "",
        )
        assert own.model_text == text, each
        assert own.ok


@pytest.mark.parametrize(
    "wrong",
    [
        *map(search, ("(", "[", "*", "a{2,1}", "needle\nx")),
        search(glob="["),
        search(type="nope"),
    ],
)
async def test_without_ripgrep_what_is_wrong_is_said_too(
    searched: ToolFixture, tmp_path: Path, wrong: dict[str, JsonValue]
) -> None:
    without = searched.without_program("rg", tmp_path / "bin")
    for tools in (searched, without):
        told = await tools.error("Grep", **wrong)
        assert told.startswith("Error: ")
        assert len(told) > 25


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("app/[id]/*.tsx", {"app/[id]/page.tsx", "app/i/p.tsx"}),
        ("app/[post-id]/*", {"app/[post-id]/p.tsx"}),
        ("app/[[...slug]]/*", {"app/[[...slug]]/s.tsx"}),
        ("{{name}}/*.{py,ts}", {"{{name}}/t.py"}),
        ("*.{p{y,z},ts}", {"a.py", "sub/b.ts", "{{name}}/t.py"}),
        ("*.py, *.ts", {"a.py", "sub/b.ts", "{{name}}/t.py"}),
    ],
)
async def test_brackets_braces_and_lists_find_the_files_they_mean(
    searched: ToolFixture, glob: str, names: set[str]
) -> None:
    paths = {f"{searched.folder}/{name}" for name in names}
    found = await searched.body("Grep", pattern="needle", glob=glob)
    assert set(found.splitlines()[1:]) == paths
    listed = await searched.body("Glob", pattern=glob if "/" in glob else f"**/{glob}")
    assert paths <= set(listed.splitlines()) | {f"{searched.folder}/sub/b.ts"}


async def test_a_folder_with_brackets_is_a_folder(searched: ToolFixture) -> None:
    page = f"{searched.folder}/app/[id]/page.tsx"
    assert await searched.body("Glob", pattern="app/[id]/page.tsx") == f"{page}\n"
    assert await searched.body("Glob", pattern="**/[id]/page.*") == f"{page}\n"
    assert await searched.body("Glob", pattern="*", path="app/[id]") == f"{page}\n"
    assert await searched.body("Glob", pattern=f"{searched.folder}/app/[id]/pa*") == f"{page}\n"


async def test_a_list_of_globs_has_one_folder(searched: ToolFixture) -> None:
    found = await searched.body("Glob", pattern="**/*.py, **/*.ts")
    names = {
        f"{searched.folder}/{name}" for name in ("a.py", "build/a.py", "sub/b.ts", "{{name}}/t.py")
    }
    assert set(found.splitlines()) == names
    refused = await searched.error("Glob", pattern="../*.py,*.ts")
    assert ".. can only stand at the beginning" in refused


@pytest.mark.parametrize("column", [0, 100, 499, 500, 700, 5_000, 99_000])
async def test_of_a_long_line_the_match_is_shown(
    tools: ToolFixture, tmp_path: Path, column: int
) -> None:
    tools.file("min.js", "é" * (column // 2) + "needle" + "y" * (100_000 - column) + "\n")
    for each in (tools, tools.without_program("rg", tmp_path / "bin")):
        shown = await each.body("Grep", pattern="needle", output_mode="content")
        assert "needle" in shown
        assert len(shown) < 800
        assert " bytes]" in shown


async def test_lines_of_windows_end_where_they_end(tools: ToolFixture) -> None:
    path = tools.file("a.txt", "foo\r\nbar\r\n")
    shown = {"path": path, "output_mode": "content"}
    assert await tools.body("Grep", pattern="foo$", **shown) == "foo\n"
    assert await tools.body("Grep", pattern=r"^bar$", **shown, **{"-B": 1}) == "foo\nbar\n"
    assert await tools.body("Grep", pattern=r"foo\r", **shown) == "foo\n"


async def test_what_is_not_searched_by_itself_is_said_when_nothing_is_found(
    searched: ToolFixture, tmp_path: Path
) -> None:
    searched.file("build/only.py", "hidden treasure")
    searched.file("blob", b"\0 buried treasure")
    searched.file(".env", "secret treasure")
    for tools in (searched, searched.without_program("rg", tmp_path / "bin")):
        told = await tools.remark("Grep", pattern="treasure")
        assert "hidden, binary or named by .gitignore were not searched; of those 3 match" in told
        assert await tools.remark("Grep", pattern="no such thing") == ""
        excluded = (f"{tools.folder}/.env", f"{tools.folder}/build", f"{tools.folder}/build/**")
        blind = ToolFixture(replace(tools.context, excluded=(*excluded, f"{tools.folder}/blob")))
        assert await blind.remark("Grep", pattern="treasure") == ""


async def test_a_binary_file_is_said_to_be_one(searched: ToolFixture, tmp_path: Path) -> None:
    for tools in (searched, searched.without_program("rg", tmp_path / "bin")):
        told = await tools.body("Grep", pattern="needle", path="bin.dat", output_mode="content")
        assert told == 'binary file matches (found "\\0" byte around offset 6)\n'


async def test_look_around_is_matched_by_pcre2_and_said(searched: ToolFixture) -> None:
    told = await searched.text(
        "Grep", pattern="(?<=needle )two", path="a.py", output_mode="content"
    )
    assert told == (
        "needle two\n<system-reminder>look-around and backreferences were matched by PCRE2"
        "</system-reminder>\n"
    )


async def test_a_ripgrep_without_pcre2_is_helped_out(searched: ToolFixture, tmp_path: Path) -> None:
    refuses = (
        "case \"$*\" in *--pcre2*) echo 'PCRE2 is not available in this build' >&2; exit 2;; esac"
    )
    environment = install_script(tmp_path / "bin", f'{refuses}\nexec /usr/bin/rg "$@"')
    tools = ToolFixture(replace(searched.context, environment=environment))
    told = await tools.body("Grep", pattern="needle(?= six)", path="a.py", output_mode="content")
    assert told == "needle six\n"


async def test_ripgrep_beside_python_is_found(
    searched: ToolFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "called"
    install_script(tmp_path / "scripts", f'touch {note}\nexec /usr/bin/rg "$@"')
    without = searched.without_program("rg", tmp_path / "bin")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path / "scripts"))
    await without.text("Grep", pattern="needle")
    assert note.exists()


async def test_an_expression_that_never_ends_is_ended(tools: ToolFixture, tmp_path: Path) -> None:
    tools.file("a.txt", "a" * 60 + "b\n")
    without = tools.without_program("rg", tmp_path / "bin")
    told = await without.text("Grep", pattern=r"(a|aa)+\1$", path="a.txt")
    assert told.startswith("No files found\n") or "took too long" in told


async def test_ripgrep_that_fails_on_one_file_says_so(tools: ToolFixture, tmp_path: Path) -> None:
    fails = "echo 'rg: secret: Permission denied (os error 13)' >&2; exit 2"
    context = replace(tools.context, environment=install_script(tmp_path / "bin", fails))
    told = await ToolFixture(context).text("Grep", pattern="x")
    assert "not searched: secret: Permission denied" in told
