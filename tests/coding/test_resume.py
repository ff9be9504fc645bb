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
from mini_agent.testing.scripted import HangingStep, ScriptedModel, scripted_call, calls_reply, text_reply
from tests.coding.harness import ID, Desk, happens
from tests.coding.transcript_lines import (
    answered,
    result,
    said,
    text,
    use,
)

# One pixel.
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
ASKED = said("u1", None, "What is in a.txt?")
CALLED = answered("a1", "u1", use("t1", "Read", file_path="a.txt"))
CAME = said("u2", "a1", list(result("t1", "    1→old")))
ANSWER = answered("a2", "u2", text("It says old."), "msg_2")


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
        [{"type": "last-prompt", "lastPrompt": "What", "leafUuid": "a2", "sessionId": ID}],
        [{"type": "system", "subtype": "turn_duration", "uuid": "s1", "parentUuid": "a2"}],
        [{"type": "a kind of next year", "uuid": "n1", "parentUuid": "a2", "message": 7}],
    ],
)
async def test_after_an_answer_it_waits_for_the_user(desk: Desk, beside: list[JsonObject]) -> None:
    desk.transcript(ASKED, CALLED, CAME, ANSWER, *beside)
    session = desk.session()
    assert not session.pending
    assert not session.awaits_model
    with ScriptedModel(text_reply("Gladly.")) as model:
        outcome = await desk.asked(model, "Thank you.", resume=ID)
    assert outcome.answer == "Gladly."
    assert roles(model)[1:] == ["user", "assistant", "tool", "assistant", "user"]


async def test_a_prompt_without_an_answer_is_asked_again(desk: Desk) -> None:
    desk.transcript(ASKED)
    with ScriptedModel(text_reply("I cannot know.")) as model:
        outcome = await desk.asked(model, resume=ID)
    assert outcome.answer == "I cannot know."
    assert roles(model) == ["system", "user"]


async def test_a_call_that_was_not_carried_out_is(desk: Desk) -> None:
    desk.file("a.txt", "fresh\n")
    desk.transcript(ASKED, CALLED)
    with ScriptedModel(text_reply("It says fresh.")) as model:
        await desk.asked(model, resume=ID)
    assert roles(model) == ["system", "user", "assistant", "tool"]
    assert "fresh" in texts(model)


async def test_of_several_calls_only_those_without_a_result_are_carried_out(desk: Desk) -> None:
    desk.file("a.txt", "fresh\n")
    second = answered("a2", "a1", use("t2", "Read", file_path="a.txt"))
    desk.transcript(ASKED, CALLED, second, CAME)
    with ScriptedModel(text_reply("Both.")) as model:
        await desk.asked(model, resume=ID)
    assert roles(model) == ["system", "user", "assistant", "tool", "tool"]
    answers = {m["tool_call_id"]: m["content"] for m in model.requests[-1].messages[3:]}
    assert "old" in str(answers["t1"])
    assert "fresh" in str(answers["t2"])


async def test_a_prompt_beside_an_open_call_comes_behind_its_result(desk: Desk) -> None:
    desk.file("a.txt", "fresh\n")
    desk.transcript(ASKED, CALLED)
    with ScriptedModel(text_reply("Yes.")) as model:
        await desk.asked(model, "And hurry.", resume=ID)
    assert roles(model) == ["system", "user", "assistant", "tool", "user"]


async def test_a_result_without_a_word_after_it_goes_to_the_model(desk: Desk) -> None:
    desk.transcript(ASKED, CALLED, CAME)
    with ScriptedModel(text_reply("It says old.")) as model:
        outcome = await desk.asked(model, resume=ID)
    assert outcome.answer == "It says old."


async def test_a_broken_last_line_is_left_as_it_is_and_told_of(desk: Desk) -> None:
    path = desk.transcript(ASKED, CALLED, CAME, ANSWER)
    whole = path.read_text()
    path.write_text(f'{whole}{{"type":"user","mess')
    with ScriptedModel(text_reply("Fine.")) as model:
        await desk.asked(model, "Go on.", resume=ID)
    assert desk.notes.warnings == [f"{path}: line 5 cannot be read and is left out"]
    lines = path.read_text().split("\n")
    assert lines[4] == '{"type":"user","mess'
    assert roles(model)[-1] == "user"
    assert desk.session().entries[-1].text == "Fine."


async def test_an_interrupted_session_waits_for_the_user(desk: Desk) -> None:
    desk.transcript(ASKED, said("u2", "u1", [text(INTERRUPTED)]))
    assert not desk.session().awaits_model


async def test_thoughts_without_a_word_are_no_answer(desk: Desk) -> None:
    desk.transcript(ASKED, answered("a1", "u1", {"type": "thinking", "thinking": "Hm."}))
    with ScriptedModel(text_reply("Now.")) as model:
        outcome = await desk.asked(model, resume=ID)
    assert outcome.answer == "Now."


async def test_what_was_written_is_read_back_the_same(desk: Desk) -> None:
    desk.file("a.txt", "one\n")
    desk.transcript(ASKED, CALLED)
    with ScriptedModel(text_reply("It says one.")) as model:
        await desk.asked(model, resume=ID)
    first = model.requests[-1].messages
    with ScriptedModel(text_reply("Still.")) as again:
        await desk.asked(again, "Sure?", resume=ID)
    assert again.requests[-1].messages[: len(first)] == first


async def test_an_empty_file_is_a_new_session(desk: Desk) -> None:
    desk.transcript()
    with ScriptedModel(text_reply("Hello.")) as model:
        outcome = await desk.asked(model, "Hi.", resume=ID)
    assert outcome.answer == "Hello."


async def test_from_every_line_of_a_session_of_ours_and_from_every_half_line(desk: Desk) -> None:
    path = await a_session_with_everything(desk)
    lines = path.read_text().splitlines()
    kinds = {json.loads(line)["type"] for line in lines}
    assert kinds == {"user", "assistant", "system"}
    for count in range(1, len(lines) + 1):
        for torn in ("", lines[min(count, len(lines) - 1)][:100]):
            path.write_text("".join(f"{line}\n" for line in lines[:count]) + torn)
            with ScriptedModel(text_reply("Yes.")) as model:
                outcome = await desk.asked(model, "Go on.", resume=path.stem)
            assert outcome.answer == "Yes."
            assert "Go on." in str(model.requests[0].messages[-1]["content"])
            assert desk.session(path.stem).entries[-1].text == "Yes."


def waits(model: ScriptedModel) -> bool:
    return "Hello?" in str(model.requests[-1].messages[-1])


async def a_session_with_everything(desk: Desk) -> Path:
    """Calls side by side, one that fails, a picture, a compaction, two interrupts."""
    desk.file("a.txt", "old\n")
    (desk.project / "dot.png").write_bytes(base64.b64decode(DOT))
    reads = [scripted_call("Read", file_path=name) for name in ("a.txt", "b.txt", "dot.png")]
    script = (
        calls_reply(*reads, text="I look."),
        text_reply("Seen."),
        text_reply("They looked."),
        calls_reply(scripted_call("Bash", command="sleep 100")),
        HangingStep(),
    )
    with ScriptedModel(*script) as model:
        async with desk.opened(model, permission_mode="bypassPermissions") as runtime:
            assistant = runtime.assistant
            await assistant.prompt("Look.")
            await assistant.compact(CompactionRequest())
            for words in ("Wait.", "Hello?"):
                turn = asyncio.create_task(assistant.prompt(words))
                await asyncio.to_thread(happens, lambda: assistant.session.pending or waits(model))
                turn.cancel()
                await asyncio.wait({turn})
    return assistant.session.path
