"""A session goes on from whatever its last line is."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from mini_agent.coding.compaction import CompactionRequest
from mini_agent.coding.transcript.messages import INTERRUPTED
from mini_agent.messages import JsonObject
from mini_agent.testing.scripted import (
    HangingStep,
    ScriptedModel,
    calls_reply,
    scripted_call,
    text_reply,
)
from tests.coding.harness import SESSION_ID, Harness, wait_until
from tests.coding.transcript_lines import (
    model_line,
    text_block,
    tool_result_blocks,
    tool_use_block,
    user_line,
)

# One pixel.
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
ASKED = user_line("u1", None, "What is in a.txt?")
CALLED = model_line("a1", "u1", tool_use_block("t1", "Read", file_path="a.txt"))
CAME = user_line("u2", "a1", list(tool_result_blocks("t1", "    1→old")))
ANSWER = model_line("a2", "u2", text_block("It says old."), "msg_2")


def roles(model: ScriptedModel) -> list[object]:
    return [message["role"] for message in model.requests[-1].messages if message]


def texts(model: ScriptedModel) -> str:
    return str(model.requests[-1].messages)


@pytest.mark.parametrize(
    "beside",
    [
        [],
        [{"type": "summary", "summary": "Reading", "leafUuid": "a2"}],
        [{"type": "file-history-snapshot", "messageId": "x", "snapshot": {}}],
        [{"type": "last-prompt", "lastPrompt": "What", "leafUuid": "a2", "sessionId": SESSION_ID}],
        [{"type": "system", "subtype": "turn_duration", "uuid": "s1", "parentUuid": "a2"}],
        [{"type": "a kind of next year", "uuid": "n1", "parentUuid": "a2", "message": 7}],
    ],
)
async def test_after_an_answer_it_waits_for_the_user(
    harness: Harness, beside: list[JsonObject]
) -> None:
    harness.transcript(ASKED, CALLED, CAME, ANSWER, *beside)
    session = harness.session()
    assert not session.pending
    assert not session.awaits_model
    with ScriptedModel(text_reply("Gladly.")) as model:
        outcome = await harness.run_prompt(model, "Thank you.", resume=SESSION_ID)
    assert outcome.answer == "Gladly."
    assert roles(model)[1:] == ["user", "assistant", "tool", "assistant", "user"]


async def test_a_prompt_without_an_answer_is_asked_again(harness: Harness) -> None:
    harness.transcript(ASKED)
    with ScriptedModel(text_reply("I cannot know.")) as model:
        outcome = await harness.run_prompt(model, resume=SESSION_ID)
    assert outcome.answer == "I cannot know."
    assert roles(model) == ["system", "user"]


async def test_a_call_that_was_not_carried_out_is(harness: Harness) -> None:
    harness.file("a.txt", "fresh\n")
    harness.transcript(ASKED, CALLED)
    with ScriptedModel(text_reply("It says fresh.")) as model:
        await harness.run_prompt(model, resume=SESSION_ID)
    assert roles(model) == ["system", "user", "assistant", "tool"]
    assert "fresh" in texts(model)


async def test_of_several_calls_only_those_without_a_result_are_carried_out(
    harness: Harness,
) -> None:
    harness.file("a.txt", "fresh\n")
    second = model_line("a2", "a1", tool_use_block("t2", "Read", file_path="a.txt"))
    harness.transcript(ASKED, CALLED, second, CAME)
    with ScriptedModel(text_reply("Both.")) as model:
        await harness.run_prompt(model, resume=SESSION_ID)
    assert roles(model) == ["system", "user", "assistant", "tool", "tool"]
    answers = {m["tool_call_id"]: m["content"] for m in model.requests[-1].messages[3:]}
    assert "old" in str(answers["t1"])
    assert "fresh" in str(answers["t2"])


async def test_a_prompt_beside_an_open_call_comes_behind_its_result(harness: Harness) -> None:
    harness.file("a.txt", "fresh\n")
    harness.transcript(ASKED, CALLED)
    with ScriptedModel(text_reply("Yes.")) as model:
        await harness.run_prompt(model, "And hurry.", resume=SESSION_ID)
    assert roles(model) == ["system", "user", "assistant", "tool", "user"]


async def test_a_result_without_a_word_after_it_goes_to_the_model(harness: Harness) -> None:
    harness.transcript(ASKED, CALLED, CAME)
    with ScriptedModel(text_reply("It says old.")) as model:
        outcome = await harness.run_prompt(model, resume=SESSION_ID)
    assert outcome.answer == "It says old."


async def test_a_byte_order_mark_costs_no_line(harness: Harness) -> None:
    path = harness.transcript(ASKED, CALLED, CAME)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with ScriptedModel(text_reply("It says old.")) as model:
        await harness.run_prompt(model, resume=SESSION_ID)
    assert "What is in a.txt?" in str(model.requests[0].messages)
    assert harness.observer.warnings == []


async def test_a_broken_last_line_is_left_as_it_is_and_told_of(harness: Harness) -> None:
    path = harness.transcript(ASKED, CALLED, CAME, ANSWER)
    whole = path.read_text()
    path.write_text(f'{whole}{{"type":"user","mess')
    with ScriptedModel(text_reply("Fine.")) as model:
        await harness.run_prompt(model, "Go on.", resume=SESSION_ID)
    assert harness.observer.warnings == [f"{path}: line 5 cannot be read and is left out"]
    lines = path.read_text().split("\n")
    assert lines[4] == '{"type":"user","mess'
    assert roles(model)[-1] == "user"
    assert harness.session().entries[-1].text == "Fine."


async def test_an_interrupted_session_waits_for_the_user(harness: Harness) -> None:
    harness.transcript(ASKED, user_line("u2", "u1", [text_block(INTERRUPTED)]))
    assert not harness.session().awaits_model


async def test_thoughts_without_a_word_are_no_answer(harness: Harness) -> None:
    harness.transcript(ASKED, model_line("a1", "u1", {"type": "thinking", "thinking": "Hm."}))
    with ScriptedModel(text_reply("Now.")) as model:
        outcome = await harness.run_prompt(model, resume=SESSION_ID)
    assert outcome.answer == "Now."


async def test_what_was_written_is_read_back_the_same(harness: Harness) -> None:
    harness.file("a.txt", "one\n")
    harness.transcript(ASKED, CALLED)
    with ScriptedModel(text_reply("It says one.")) as model:
        await harness.run_prompt(model, resume=SESSION_ID)
    first = model.requests[-1].messages
    with ScriptedModel(text_reply("Still.")) as again:
        await harness.run_prompt(again, "Sure?", resume=SESSION_ID)
    assert again.requests[-1].messages[: len(first)] == first


async def test_an_empty_file_is_a_new_session(harness: Harness) -> None:
    harness.transcript()
    with ScriptedModel(text_reply("Hello.")) as model:
        outcome = await harness.run_prompt(model, "Hi.", resume=SESSION_ID)
    assert outcome.answer == "Hello."


async def test_from_every_line_of_a_session_of_ours_and_from_every_half_line(
    harness: Harness,
) -> None:
    path = await a_session_with_everything(harness)
    lines = path.read_text().splitlines()
    kinds = {json.loads(line)["type"] for line in lines}
    assert kinds == {"user", "assistant", "system"}
    for count in range(1, len(lines) + 1):
        for torn in ("", lines[min(count, len(lines) - 1)][:100]):
            path.write_text("".join(f"{line}\n" for line in lines[:count]) + torn)
            with ScriptedModel(text_reply("Yes.")) as model:
                outcome = await harness.run_prompt(model, "Go on.", resume=path.stem)
            assert outcome.answer == "Yes."
            assert "Go on." in str(model.requests[0].messages[-1]["content"])
            assert harness.session(path.stem).entries[-1].text == "Yes."


def waits(model: ScriptedModel) -> bool:
    return "Hello?" in str(model.requests[-1].messages[-1])


async def a_session_with_everything(harness: Harness) -> Path:
    """Calls side by side, one that fails, a picture, a compaction, two interrupts."""
    harness.file("a.txt", "old\n")
    (harness.project / "dot.png").write_bytes(base64.b64decode(DOT))
    reads = [scripted_call("Read", file_path=name) for name in ("a.txt", "b.txt", "dot.png")]
    script = (
        calls_reply(*reads, text="I look."),
        text_reply("Seen."),
        text_reply("They looked."),
        calls_reply(scripted_call("Bash", command="sleep 100")),
        HangingStep(),
    )
    with ScriptedModel(*script) as model:
        async with harness.open_session(model, permission_mode="bypassPermissions") as runtime:
            assistant = runtime.assistant
            await assistant.prompt("Look.")
            await assistant.compact(CompactionRequest())
            for words in ("Wait.", "Hello?"):
                turn = asyncio.create_task(assistant.prompt(words))
                await asyncio.to_thread(
                    wait_until, lambda: assistant.session.pending or waits(model)
                )
                turn.cancel()
                await asyncio.wait({turn})
    return assistant.session.path
