"""Memory files are held to what Read may do, and one that is refused is a line."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mini_agent.coding.memory.files import MAX_CHARS, MAX_FILES, MAX_TOTAL_CHARS
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness, run_command

SECRET = "the word is swordfish"


async def told(harness: Harness, **options: object) -> str:
    """Return what the model is told with the first prompt."""
    with ScriptedModel(text_reply("Hello.")) as model:
        await harness.run_prompt(model, "Hi.", **options)
    return str(model.requests[-1].messages)


def lines_of(harness: Harness) -> list[str]:
    return [line for line in harness.observer.warnings if line.startswith("memory: ")]


def make_secret(harness: Harness) -> Path:
    path = harness.home / "secret.md"
    path.write_text(SECRET)
    return path


NAMES = ("CLAUDE.md", "AGENTS.md", "CLAUDE.local.md", ".claude/CLAUDE.md", ".claude/rules/a.md")


@pytest.mark.parametrize("name", NAMES)
async def test_a_link_out_of_the_project_is_not_followed(harness: Harness, name: str) -> None:
    path = harness.project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(make_secret(harness))
    assert "swordfish" not in await told(harness, permission_mode="bypassPermissions")
    (line,) = lines_of(harness)
    assert f"{path} is left out: it leads to {harness.home / 'secret.md'}, outside" in line


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", ["/dev/urandom", "/dev/zero", "/proc/self/environ", "/dev/tty"])
async def test_a_device_does_not_hold_up_the_start(
    harness: Harness, name: str, target: str
) -> None:
    path = harness.project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    assert f"HOME={harness.home}" not in await told(harness)
    assert len(lines_of(harness)) == 1


async def test_a_folder_of_rules_that_leads_out_of_the_project_is_not_read(
    harness: Harness,
) -> None:
    make_secret(harness)
    (harness.project / ".claude").mkdir()
    (harness.project / ".claude" / "rules").symlink_to(harness.home)
    assert "swordfish" not in await told(harness)
    assert len(lines_of(harness)) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_pipe_is_a_line(harness: Harness, name: str) -> None:
    path = harness.project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    await told(harness)
    (line,) = lines_of(harness)
    assert "not a regular file" in line


@pytest.mark.parametrize("imported", ["~/secret.md", "../home/secret.md", "./link.md", "{secret}"])
async def test_an_import_from_outside_is_a_line(harness: Harness, imported: str) -> None:
    secret = make_secret(harness)
    (harness.project / "link.md").symlink_to(secret)
    harness.file("CLAUDE.md", f"See @{imported.format(secret=secret)}")
    assert "swordfish" not in await told(harness)
    assert "outside the project" in " ".join(lines_of(harness))


async def test_an_import_of_a_pipe_is_a_line(harness: Harness) -> None:
    os.mkfifo(harness.project / "pipe.md")
    harness.file("CLAUDE.md", "See @pipe.md and @missing.md and @docs")
    (harness.project / "docs").mkdir()
    await told(harness)
    (line,) = lines_of(harness)
    assert "pipe.md is left out: it is not a regular file" in line


@pytest.mark.parametrize("rule", ["Read(secret.md)", "Read", "Read(/docs/**)", "Read(**/*.md)"])
async def test_a_deny_rule_holds_for_memory(harness: Harness, rule: str) -> None:
    harness.file("docs/secret.md", SECRET)
    harness.file("CLAUDE.md", "See @docs/secret.md")
    (harness.project / "CLAUDE.local.md").symlink_to("docs/secret.md")
    assert "swordfish" not in await told(harness, disallowed_tools=(rule,))
    assert any("is denied here by the rule" in line for line in lines_of(harness))


@pytest.mark.parametrize("name", ["AGENTS.md", "CLAUDE.local.md"])
async def test_a_denied_file_is_not_read_through_a_link(harness: Harness, name: str) -> None:
    harness.file(".env", SECRET)
    (harness.project / name).symlink_to(".env")
    assert "swordfish" not in await told(harness, disallowed_tools=("Read(.env)",))


@pytest.mark.parametrize("options", [{"add_dirs": ("{home}",)}, {"allowed_tools": ("{rule}",)}])
async def test_what_the_user_adds_may_be_led_to(
    harness: Harness, options: dict[str, tuple[str]]
) -> None:
    (harness.project / "CLAUDE.md").symlink_to(make_secret(harness))
    values = {"home": str(harness.home), "rule": f"Read(/{harness.home}/**)"}
    filled = {key: (value[0].format(**values),) for key, value in options.items()}
    assert "swordfish" in await told(harness, **filled)
    assert lines_of(harness) == []


async def test_the_users_own_files_lead_anywhere(harness: Harness) -> None:
    harness.settings({})
    (harness.home / "dotfiles.md").write_text(SECRET)
    (harness.claude_home / "CLAUDE.md").symlink_to(harness.home / "dotfiles.md")
    (harness.claude_home / "rules").mkdir()
    (harness.claude_home / "rules" / "own.md").write_text("Use tabs.")
    said = await told(harness)
    assert "swordfish" in said
    assert "Use tabs." in said


async def test_a_link_within_the_git_root_is_followed(harness: Harness) -> None:
    (harness.project / ".git").mkdir()
    harness.file("docs/rules.md", "Use tabs.")
    inner = harness.project / "inner"
    inner.mkdir()
    (inner / "CLAUDE.md").symlink_to("../docs/rules.md")
    os.chdir(inner)
    assert "Use tabs." in await told(Harness(inner, harness.home, harness.observer))
    assert lines_of(harness) == []


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (b"", "utf-8"),
        (b"", "cp1252"),
    ],
)
async def test_memory_in_any_encoding_is_decoded(
    harness: Harness, mark: bytes, encoding: str
) -> None:
    harness.file("style.md", "tabs for ever")
    path = harness.project / "CLAUDE.md"
    path.write_bytes(mark + "Größe zählt.\r\n@style.md\r\n".encode(encoding))
    said = await told(harness)
    assert "Größe zählt." in said
    assert "tabs for ever" in said
    assert "\ufeff" not in said


async def test_a_binary_file_is_a_line(harness: Harness) -> None:
    (harness.project / "CLAUDE.md").write_bytes(b"\x7fELF\0\0\0")
    await told(harness)
    (line,) = lines_of(harness)
    assert "it is not a text file" in line


@pytest.mark.parametrize("letter", ["a", "ö", "漢"])
async def test_a_cut_is_said_to_both(harness: Harness, letter: str) -> None:
    harness.file("CLAUDE.md", letter * (MAX_CHARS * 6))
    said = await told(harness)
    assert said.count(letter * 100) * 100 <= MAX_CHARS
    assert letter * 1000 in said
    assert "(cut here: the file has" in said
    (line,) = lines_of(harness)
    assert f"cut to {MAX_CHARS} characters" in line


async def test_imports_are_bounded_in_number_and_size(harness: Harness) -> None:
    names = [f"n{number}.md" for number in range(MAX_FILES * 3)]
    for name in names:
        harness.file(name, "z" * 10_000 + "".join(f" @{each}" for each in names))
    harness.file("CLAUDE.md", " ".join(f"@{name}" for name in names))
    said = await told(harness)
    assert said.count("z" * 1000) * 1000 <= MAX_TOTAL_CHARS
    (line,) = lines_of(harness)
    assert "are the most" in line


async def test_rules_are_bounded_in_number(harness: Harness) -> None:
    for number in range(MAX_FILES + 20):
        harness.file(f".claude/rules/{number:04}.md", f"rule-{number:04}")
    said = await told(harness)
    assert said.count("rule-0") <= MAX_FILES
    assert "rule-0000" in said
    assert any(f"more than {MAX_FILES} files" in line for line in lines_of(harness))


def chain(harness: Harness) -> None:
    for number in range(9):
        harness.file(f"{number}.md", f"deep-{number} @{number + 1}.md")
    harness.file("CLAUDE.md", "@0.md")


def cycle(harness: Harness) -> None:
    harness.file("CLAUDE.md", "deep-4 @a/b.md")
    harness.file("a/b.md", "@../CLAUDE.md @b.md @c.md")
    (harness.project / "a" / "c.md").symlink_to("../CLAUDE.md")


@pytest.mark.parametrize("make", [chain, cycle])
async def test_imports_end(harness: Harness, make: Callable[[Harness], None]) -> None:
    make(harness)
    said = await told(harness)
    assert said.count("deep-4") == 1
    assert "deep-5" not in said


async def test_memory_of_an_inner_folder_is_checked_too(harness: Harness) -> None:
    harness.file("inner/a.txt", "old\n")
    (harness.project / "inner" / "CLAUDE.md").symlink_to(make_secret(harness))
    read = calls_reply(scripted_call("Read", file_path="inner/a.txt"))
    with ScriptedModel(read, text_reply("Old.")) as model:
        await harness.run_prompt(model, "Look.")
    assert "swordfish" not in str(model.requests[-1].messages)
    assert len(lines_of(harness)) == 1


def test_the_program_says_so_on_standard_error(harness: Harness) -> None:
    (harness.project / "CLAUDE.md").symlink_to("/proc/self/environ")
    done = run_command(harness, ["Hello."], "-p", "Hi.", CANARY="swordfish")
    assert (done.code, done.stdout) == (0, "Hello.\n")
    assert "swordfish" not in str(done.requests)
    assert done.stderr.count("memory: ") == 1
