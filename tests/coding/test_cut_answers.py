"""An answer that was cut is no success, and calls of odd streams are all carried out."""

from __future__ import annotations

import json

import pytest

from mini_agent.testing import Call, blank, call, calls, half_closed, refusal, truncated
from mini_agent.testing.replies import ScriptedReply
from mini_agent.testing.script import Script
from tests.coding.harness import Harness, run_command
from tests.coding.streams import call_chunk, chunk, stream

PART = stream(chunk({"content": "Hello wor"}), ends=False)
A, B = json.dumps({"file_path": "a.txt"}), json.dumps({"file_path": "b.txt"})


@pytest.mark.parametrize("part", [PART, truncated("Hello wor")], ids=["closed", "length"])
def test_a_cut_answer_is_continued_once(harness: Harness, part: ScriptedReply) -> None:
    done = run_command(harness, [part, "ld."], "-p", "Greet.")
    assert (done.code, done.stdout) == (0, "Hello world.\n")
    assert "asking the model to go on" in done.stderr
    assert "cut off" in str(done.requests[1][-1]["content"])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([PART, PART], "closed the connection before the end"),
        ([truncated("Hello wor")] * 2, "token limit"),
        ([half_closed("Hello. " * 9)] * 2, "closed the connection"),
        ([stream(chunk({"content": "I can"}), chunk({}, "content_filter"))], "content filter"),
    ],
    ids=["closed", "length", "lost", "filter"],
)
def test_an_answer_that_stays_cut_is_a_failure_with_what_has_come(
    harness: Harness, script: Script, said: str
) -> None:
    done = run_command(harness, script, "-p", "Greet.", "--output-format", "json")
    (result,) = done.objects
    assert (done.code, result["subtype"], result["is_error"]) == (1, "error_during_execution", True)
    assert said in str(result["result"])
    assert str(result["result"]).startswith(("Hello", "I can"))


def test_a_stream_that_is_called_plain_text_is_one(harness: Harness) -> None:
    words = (chunk({"content": "Hel"}), ": a comment\n\n", chunk({"content": "lo."}, "stop"))
    done = run_command(harness, [stream(*words, media_type="text/plain")], "-p", "Greet.")
    assert (done.code, done.stdout) == (0, "Hello.\n")


def test_a_call_that_was_cut_is_not_run(harness: Harness) -> None:
    part = stream(call_chunk("Bash", '{"command": "touch ma', index=0, id="a"), ends=False)
    done = run_command(
        harness, [part, "Sorry."], "-p", "Go.", "--permission-mode", "bypassPermissions"
    )
    assert (done.code, done.stdout) == (0, "Sorry.\n")
    assert "not run" in str(done.requests[1][-1]["content"])


@pytest.mark.parametrize(
    "chunks",
    [
        (call_chunk("Read", A, index=0, id="x"), call_chunk("Read", B, index=0, id="y")),
        (call_chunk("Read", A, index=0, id=""), call_chunk("Read", B, index=1, id="")),
        (call_chunk("Read", A, index=0, id=None), call_chunk("Read", B, index=0, id=None)),
        (call_chunk("Read", A), call_chunk("Read", B)),
    ],
    ids=["one index", "empty ids", "null ids", "neither"],
)
def test_all_calls_of_a_stream_are_carried_out(harness: Harness, chunks: tuple[str, ...]) -> None:
    harness.file("a.txt", "alpha\n")
    harness.file("b.txt", "beta\n")
    script = [stream(*chunks, chunk({}, "tool_calls")), "Done."]
    done = run_command(harness, script, "-p", "Read both.")
    results = [str(each["content"]) for each in done.requests[1] if each["role"] == "tool"]
    assert ["alpha" in results[0], "beta" in results[1]] == [True, True]


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ([call("Bash", command="echo SECRET"), blank()], "stopped at the limit of 1 turns"),
        ([call("Bash", command="echo SECRET"), "Half done."], "Half done."),
        (
            [calls(Call("Bash", {"command": "echo SECRET"}), content="Looking.")]
            + [refusal(500, "boom")] * 2,
            "Looking.",
        ),
    ],
    ids=["blank", "words", "failure"],
)
def test_at_the_limit_of_turns_the_result_is_the_model_s_words_or_a_sentence(
    harness: Harness, script: Script, result: str
) -> None:
    options = ("--max-turns", "1", "--permission-mode", "bypassPermissions")
    done = run_command(harness, script, "-p", "Go.", *options, "--output-format", "json")
    (told,) = done.objects
    assert (done.code, told["subtype"], told["num_turns"]) == (1, "error_max_turns", 1)
    assert str(told["result"]).startswith(result)
    assert "SECRET" not in done.stdout


def test_in_text_the_limit_is_said_beside_the_words(harness: Harness) -> None:
    script: Script = [call("Read", file_path="a.txt"), "Half done."]
    done = run_command(harness, script, "-p", "Go.", "--max-turns", "1")
    assert (done.code, done.stdout) == (1, "Half done.\n")
    assert done.stderr.startswith("mini-agent: stopped at the limit of 1 turns (--max-turns)")
