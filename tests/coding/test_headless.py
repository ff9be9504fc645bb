"""`mini-agent -p` as a process: formats, exit codes, and what goes wrong in one line."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from mini_agent.messages import JsonObject
from mini_agent.testing import (
    Call,
    ScriptedServer,
    call,
    calls,
    half_closed,
    refusal,
    server_error,
)
from mini_agent.testing.script import Script
from tests.coding.harness import (
    PROGRAM,
    Harness,
    build_environment,
    run_command,
    run_shell,
    wait_until,
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    session_id: str
    uuid: str


class Init(Strict):
    type: Literal["system"]
    subtype: Literal["init"]
    cwd: str
    tools: list[str]
    mcp_servers: list[JsonObject]
    model: str
    permissionMode: Literal["default", "acceptEdits", "plan", "bypassPermissions"]  # noqa: N815


class Spoken(Strict):
    type: Literal["user", "assistant"]
    message: JsonObject
    parent_tool_use_id: str | None
    tool_use_result: JsonObject | str | None = None


class Result(Strict):
    type: Literal["result"]
    subtype: Literal["success", "error_during_execution", "error_max_turns", "tools_withheld"]
    is_error: bool
    duration_ms: int
    duration_api_ms: int
    num_turns: int
    result: str
    total_cost_usd: float
    usage: dict[str, int]
    permission_denials: list[JsonObject]
    tool_uses: list[JsonObject] | None = None


STREAMED: TypeAdapter[Init | Spoken | Result] = TypeAdapter(Init | Spoken | Result)


def test_the_answer_is_printed_and_nothing_else(harness: Harness) -> None:
    done = run_command(harness, ["Hello."], "-p", "Hi.")
    assert (done.code, done.stdout) == (0, "Hello.\n")


def test_the_stream_can_be_read_strictly(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    script: Script = [
        calls(Call("Read", {"file_path": "a.txt"}), Call("Read", {"file_path": "a.txt"})),
        "old",
    ]
    done = run_command(harness, script, "-p", "What is in a.txt?", "--output-format", "stream-json")
    told = [STREAMED.validate_json(line) for line in done.stdout.splitlines()]
    assert [each.type for each in told] == [
        "system",
        "user",
        "assistant",
        "assistant",
        "user",
        "user",
        "assistant",
        "result",
    ]
    last = told[-1]
    assert isinstance(last, Result)
    assert (last.result, last.num_turns, last.is_error) == ("old", 2, False)


def test_json_is_one_object_with_the_result(harness: Harness) -> None:
    done = run_command(harness, ["Hello."], "-p", "Hi.", "--output-format", "json")
    (result,) = [Result.model_validate(each) for each in done.objects]
    assert (result.result, result.subtype) == ("Hello.", "success")


def test_standard_input_goes_before_the_prompt(harness: Harness) -> None:
    done = run_command(harness, ["Three."], "-p", "How many lines?", stdin="a\nb\nc\n")
    assert "a\nb\nc\n\nHow many lines?" in str(done.requests[0][-1]["content"])


def test_messages_a_line_are_answered_one_after_the_other(harness: Harness) -> None:
    lines = [
        json.dumps({"type": "user", "message": {"role": "user", "content": words}})
        for words in ("One?", "Two?")
    ]
    arguments = ("--input-format", "stream-json", "--output-format", "stream-json")
    done = run_command(harness, ["One.", "Two."], *arguments, stdin="\n".join(lines))
    results = [each["result"] for each in done.objects if each["type"] == "result"]
    assert results == ["One.", "Two."]


def test_withheld_tools_are_printed_and_end_with_2(harness: Harness) -> None:
    script: Script = [call("Bash", command="touch made")]
    done = run_command(harness, script, "-p", "Make it.", "--no-execute-tools")
    (asked,) = json.loads(done.stdout)
    assert (done.code, asked["name"], asked["input"]) == (2, "Bash", {"command": "touch made"})
    assert not (harness.project / "made").exists()


def test_withheld_tools_end_a_talk_as_well(harness: Harness) -> None:
    script: Script = [call("Bash", command="touch made")]
    asked = ("--interactive", "--no-execute-tools")
    done = run_command(harness, script, *asked, stdin="Make it.\nAnd again.\n")
    assert (done.code, '"command": "touch made"' in done.stdout) == (2, True)
    assert not (harness.project / "made").exists()


def test_a_withheld_call_is_carried_out_by_whoever_resumes(harness: Harness) -> None:
    run_command(harness, [call("Bash", command="touch made")], "-p", "Make.", "--no-execute-tools")
    done = run_command(harness, ["Made."], "-c", "--allowedTools", "Bash(touch *)")
    assert (done.code, done.stdout) == (0, "Made.\n")
    assert (harness.project / "made").exists()


def test_what_would_be_asked_is_denied_with_the_reason(harness: Harness) -> None:
    done = run_command(
        harness, [call("Bash", command="touch made"), "I may not."], "-p", "Make it."
    )
    assert done.code == 0
    assert "nobody is there to be asked" in str(done.requests[1][-1]["content"])
    assert not (harness.project / "made").exists()


def test_too_many_turns_are_a_failure(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    script: Script = [call("Read", file_path="a.txt"), "I have seen it."]
    arguments = ("-p", "Look.", "--max-turns", "1", "--output-format", "json")
    done = run_command(harness, script, *arguments)
    assert (done.code, done.objects[0]["subtype"]) == (1, "error_max_turns")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_130_its_commands_too_and_is_written_down(
    harness: Harness, number: signal.Signals
) -> None:
    script: Script = [call("Bash", command="echo $$ > pid; exec sleep 100")]
    with ScriptedServer(script) as server:
        process = subprocess.Popen(
            [PROGRAM, "-p", "Wait.", "--permission-mode", "bypassPermissions"],
            cwd=harness.project,
            env=build_environment(harness, server.openai_url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(
            lambda: (harness.project / "pid").exists() and (harness.project / "pid").read_text()
        )
        process.send_signal(number)
        process.communicate(timeout=150)
    assert process.returncode == 130
    assert not Path("/proc", (harness.project / "pid").read_text().strip()).exists()
    (transcript,) = harness.sessions.glob("*.jsonl")
    assert "[Request interrupted by user for tool use]" in transcript.read_text().splitlines()[-1]


@pytest.mark.parametrize(
    ("script", "arguments", "ends"),
    [
        ([server_error()] * 2, (), (1, "error_during_execution", "server")),
        ([refusal(401, "bad key")], (), (1, "error_during_execution", "key")),
        (lambda _: half_closed("Hello. " * 9), (), (1, "error_during_execution", "not completed")),
        ([call("Read", file_path="a"), "No."], ("--max-turns", "1"), (1, "error_max_turns", "")),
        ([call("Read", file_path="a")], ("--no-execute-tools",), (2, "tools_withheld", "")),
        ([], ("--mcp-config", "gone.json"), (1, "", "")),
    ],
)
def test_however_it_ends_the_stream_and_the_exit_code_say_so(
    harness: Harness, script: Script, arguments: tuple[str, ...], ends: tuple[int, str, str]
) -> None:
    done = run_command(harness, script, "-p", "Hi.", *arguments, "--output-format", "stream-json")
    told = [STREAMED.validate_json(line) for line in done.stdout.splitlines()]
    results = [(each.subtype, each.is_error) for each in told if isinstance(each, Result)]
    code, subtype, said = ends
    assert done.code == code
    assert results == ([(subtype, code == 1)] if subtype else [])
    assert said in done.stdout
    assert "Traceback" not in done.stderr


def test_a_reader_who_leaves_ends_it_without_a_word(harness: Harness) -> None:
    line = f"{PROGRAM} -p Hi. --output-format stream-json | head -n 1 >/dev/null"
    with ScriptedServer(lambda _messages: "Hello.") as server:
        ended = run_shell(harness, f"{line}; exit ${{PIPESTATUS[0]}}", server)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.parametrize("form", ["text", "json", "stream-json"])
def test_output_that_cannot_be_written_is_a_line(harness: Harness, form: str) -> None:
    with ScriptedServer(lambda _messages: "Hello. " * 9) as server:
        ended = run_shell(harness, f"{PROGRAM} -p Greet. --output-format {form} >/dev/full", server)
    assert ended.returncode == 1
    assert ended.stderr.startswith("mini-agent: standard output cannot be written: No space left")
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
