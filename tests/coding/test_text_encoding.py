"""Text in any encoding is read, and written to any terminal without loss or error."""

from __future__ import annotations

import json
import subprocess

import pytest

from mini_agent.coding.text_encoding import decode_text
from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.script import Script
from tests.coding.harness import PROGRAM, Harness, build_environment, run_shell
from tests.coding.streams import chunk, stream

WORDS = "Grüße, naïve 中文"
ANSWER = "Grüße → 中"


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        (WORDS.encode(), "utf-8", WORDS),
        (WORDS.encode("utf-8-sig"), "utf-8", WORDS),
        (WORDS.encode("utf-16"), "utf-8", WORDS),
        (WORDS.encode("utf-32"), "utf-8", WORDS),
        ("café".encode("latin-1"), "latin-1", "café"),
        ("naïve text".encode("utf-16-le"), "utf-8", "naïve text"),
        ("日本".encode("iso-2022-jp"), "iso-2022-jp", "日本"),
        ("日本".encode("shift_jis"), "shift_jis", "日本"),
        (WORDS.encode(), "latin-1", WORDS),
        (b"", "utf-8", ""),
    ],
)
def test_text_is_read_by_its_mark_as_utf_8_or_as_declared(
    content: bytes, declared: str, text: str
) -> None:
    assert decode_text(content, declared).text == text


def test_what_is_no_text_is_read_with_replacements_and_said() -> None:
    decoded = decode_text(b"caf\xe9 and more")
    assert decoded.text == "caf\ufffd and more"
    assert "1 places were replaced" in decoded.note


def run_bytes(
    harness: Harness, script: Script, *arguments: str | bytes, stdin: bytes = b"", **more: str
) -> tuple[subprocess.CompletedProcess[bytes], str]:
    """Run a headless prompt; returns what the model was asked as well."""
    with ScriptedServer(script) as server:
        ended = subprocess.run(
            [PROGRAM, *arguments],
            cwd=harness.project,
            env=build_environment(harness, server.openai_url) | more,
            input=stdin,
            capture_output=True,
            timeout=150,
            check=False,
        )
    asked = json.dumps([request.messages for request in server.requests], ensure_ascii=False)
    return ended, asked


def test_bytes_on_standard_input_reach_the_model_and_replacements_are_said(
    harness: Harness,
) -> None:
    ended, asked = run_bytes(harness, ["Read."], "-p", "x", stdin=b"caf\xe9 end")
    assert (ended.returncode, ended.stdout) == (0, b"Read.\n")
    assert "caf\ufffd end" in asked
    assert b"replaced by U+FFFD" in ended.stderr


def test_a_prompt_of_other_bytes_is_read_too(harness: Harness) -> None:
    _, asked = run_bytes(harness, ["Read."], "-p", b"caf\xe9")
    assert "café" in asked


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("latin-1", b"Gr\xfc\xdfe \\u2192 \\u4e2d\n"), ("ascii", b"Gr\\xfc\\xdfe \\u2192 \\u4e2d\n")],
)
def test_an_answer_is_written_to_a_narrow_terminal_without_loss(
    harness: Harness, encoding: str, written: bytes
) -> None:
    ended, _ = run_bytes(harness, [ANSWER], "-p", "x", PYTHONIOENCODING=encoding)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, written, b"")


@pytest.mark.parametrize("arguments", [("--output-format", "stream-json"), ("--interactive",)])
def test_other_forms_of_output_are_written_as_well(
    harness: Harness, arguments: tuple[str, ...]
) -> None:
    prompt = ("-p", "x") if "--interactive" not in arguments else ()
    ended, _ = run_bytes(
        harness, [ANSWER], *prompt, *arguments, stdin=b"h\xe9\n", PYTHONIOENCODING="ascii"
    )
    assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False)
    assert b"2192" in ended.stdout
    if prompt:
        assert json.loads(ended.stdout.splitlines()[-1])["result"] == ANSWER


def test_half_a_character_breaks_nothing(harness: Harness) -> None:
    script = [stream(chunk({"content": "a\ud800b"}), chunk({}, "stop"))]
    ended, _ = run_bytes(harness, script, "-p", "x")
    assert (ended.returncode, ended.stdout.decode()) == (0, "a\ufffdb\n")


def test_a_closed_output_ends_quietly_and_with_it_the_commands(harness: Harness) -> None:
    options = "--permission-mode bypassPermissions --output-format stream-json"
    line = f"{PROGRAM} -p Hi. {options} | head -n 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    with ScriptedServer(lambda _: call("Bash", command="echo again >> runs")) as server:
        ended = run_shell(harness, line, server)
    assert (ended.stdout, ended.stderr) == ("1\n", "")


def test_no_output_at_all_is_no_error(harness: Harness) -> None:
    with ScriptedServer(["Hi."]) as server:
        ended = run_shell(harness, f"{PROGRAM} -p Hi. >&-", server)
    assert (ended.returncode, ended.stderr) == (0, "")
