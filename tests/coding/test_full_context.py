"""A conversation that its model server calls too long is shortened, and the work goes on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mini_agent.coding.compaction import CompactionRequest
from mini_agent.errors import ContextTooLong
from mini_agent.messages import JsonObject
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.models.litellm_errors import FailedCall, create_model_error
from mini_agent.result import Usage
from mini_agent.testing import call, refusal
from mini_agent.testing.replies import ScriptedReply
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness, run_command

TOO_LONG = "the request exceeds the available context size, try increasing it"
WORDINGS = (
    "This model's maximum context length is 8192 tokens. However, your messages have 9000 tokens.",
    "Your input exceeds the context window of this model. Please adjust your input.",
    "prompt is too long: 208310 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    "This endpoint's maximum context length is 131072 tokens. However, you requested 140000 tokens",
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
    "Trying to keep the first 4096 tokens when context the overflows. However, the model is loaded",
    "prompt too long; exceeded max context length by 12 tokens",
    "the input length exceeds the context length",
    "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
    "Please reduce the length of the messages or completion.",
)


class SmallServer:
    """Answers like a server whose context has `max_chars` characters; reads `files` first."""

    def __init__(self, files: int, max_chars: int = 30_000) -> None:
        self.files, self.max_chars, self.read, self.summaries = files, max_chars, 0, 0

    def __call__(self, messages: Sequence[JsonObject]) -> ScriptedReply | str:
        if len(str(messages)) > self.max_chars:
            return refusal(400, TOO_LONG)
        if "about to be cut off" in str(messages[-1]):
            self.summaries += 1
            return "Files were read; read on."
        self.read += 1
        return call("Read", file_path=f"{self.read % 4}.txt") if self.read < self.files else "Done."


def write_files(harness: Harness) -> None:
    for number in range(4):
        harness.file(f"{number}.txt", f"line {number} of a file\n" * 900)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("wording", WORDINGS)
def test_every_server_s_words_are_understood(wording: str, status: int) -> None:
    failed = FailedCall("openai/m", "http://127.0.0.1/v1", "", 60, status, wording)
    assert isinstance(create_model_error(failed), ContextTooLong)


def test_a_long_session_never_gets_stuck(harness: Harness) -> None:
    write_files(harness)
    server = SmallServer(files=9)
    done = run_command(harness, server, "-p", "Read all.")
    assert (done.code, done.stdout) == (0, "Done.\n")
    assert server.summaries == 1
    assert "compacting it" in done.stderr
    assert "the largest results of tools were cut" in done.stderr


def test_a_prompt_that_is_too_long_itself_is_shortened(harness: Harness) -> None:
    done = run_command(harness, SmallServer(files=1), "-p", "Sum up.", stdin="word " * 20_000)
    assert (done.code, done.stdout) == (0, "Done.\n")


def test_turns_are_counted_across_a_compaction(harness: Harness) -> None:
    write_files(harness)
    options = ("--max-turns", "3", "--output-format", "json")
    done = run_command(harness, SmallServer(files=9), "-p", "Read all.", *options)
    (result,) = done.objects
    assert (done.code, result["subtype"], result["num_turns"]) == (1, "error_max_turns", 3)


def test_what_cannot_be_shortened_is_said_with_what_the_user_can_set(harness: Harness) -> None:
    done = run_command(harness, lambda _: refusal(400, TOO_LONG), "-p", "Hi.")
    assert done.code == 1
    assert "--model" in done.stderr
    assert "max_history_messages" not in done.stderr


async def test_a_summary_is_asked_for_with_less_until_it_fits(harness: Harness) -> None:
    asked: list[int] = []

    class Small:
        async def reply(self, request: ModelRequest) -> ModelReply:
            asked.append(len(str(request.messages)))
            if request.tools:
                return ModelReply("One." * 20_000)
            if asked[-1] > 10_000:
                raise ContextTooLong("too long")
            return ModelReply("They said one.")

    async with harness.open_session(Small()) as runtime:
        await runtime.assistant.prompt("One?")
        await runtime.assistant.compact(CompactionRequest())
        (summary,) = runtime.assistant.session.messages
    assert "They said one." in str(summary["content"])
    assert asked[1:] == sorted(asked[1:], reverse=True)


async def test_it_is_compacted_once_a_turn_also_where_that_does_not_help(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    reads = (calls_reply(scripted_call("Read", file_path="a.txt")) for _ in range(3))
    full = [
        ModelReply("", tool_calls=each.tool_calls, usage=Usage(prompt_tokens=900)) for each in reads
    ]
    script = (full[0], text_reply("a.txt was read."), *full[1:], text_reply("old"))
    harness.window = 1000
    with ScriptedModel(*script) as model:
        outcome = await harness.run_prompt(model, "What is in a.txt?")
    assert outcome.answer == "old"
    assert sum(not request.tools for request in model.requests) == 1
