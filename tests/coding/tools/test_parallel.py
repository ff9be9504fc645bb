"""Many calls in one turn, through the whole assistant: each answer under its own id."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mini_agent.agent.loop import run_agent
from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness
from tests.coding.tools.conftest import ToolFixture


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    harness = Harness(tmp_path / "project", tmp_path / "home")
    harness.project.mkdir()
    monkeypatch.chdir(harness.project)
    monkeypatch.setenv("HOME", str(harness.home))
    return harness


async def test_twenty_reads_come_back_under_their_ids(tools: ToolFixture) -> None:
    reads = [
        scripted_call(
            "Read", file_path=tools.file(f"f{number}", f"{'filler ' * number}content {number}.")
        )
        for number in range(20)
    ]
    config = AgentConfig(model="scripted", max_tools_per_iter=20, tool_concurrency=10)
    with ScriptedModel(calls_reply(*reads), text_reply("read")) as model:
        result = await run_agent([user("Read.")], coding_tools(tools.context), config, model)
    answers = [message for message in result.messages if message["role"] == "tool"]
    assert [answer["tool_call_id"] for answer in answers] == [read.id for read in reads]
    for number, answer in enumerate(answers):
        assert f"content {number}." in str(answer["content"])


async def test_they_stand_so_in_the_transcript_and_before_the_model(harness: Harness) -> None:
    for number in range(20):
        harness.file(f"f{number}", f"content {number}.")
    reads = [scripted_call("Read", file_path=f"f{number}") for number in range(20)]
    with ScriptedModel(calls_reply(*reads), text_reply("read")) as model:
        await harness.run_prompt(model, "Read.")
    told = [each for each in model.requests[1].messages if each["role"] == "tool"]
    (transcript,) = harness.sessions.glob("*.jsonl")
    lines = [json.loads(line) for line in transcript.read_text().splitlines()]
    blocks = [b for each in lines if each["type"] == "user" for b in each["message"]["content"]]
    # They are written as they come.
    kept = {block["tool_use_id"]: block for block in blocks if block["type"] == "tool_result"}
    used = [
        b["id"]
        for each in lines
        if each["type"] == "assistant"
        for b in each["message"]["content"]
        if b["type"] == "tool_use"
    ]
    assert [each["tool_call_id"] for each in told] == used
    assert set(kept) == set(used)
    for number, (one, name) in enumerate(zip(told, used, strict=True)):
        assert f"content {number}." in str(one["content"])
        assert f"content {number}." in str(kept[name]["content"])


@dataclass
class Meeting:
    """Starts two agents, neither of which answers before the other is there as well."""

    both: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(2))
    requests: list[ModelRequest] = field(default_factory=list)

    async def reply(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        asked = str(request.messages[-1]["content"])
        if asked.startswith("I am "):
            await self.both.wait()
            return text_reply(f"Hello from {asked}")
        if request.messages[-1]["role"] == "tool":
            return text_reply("met")
        task = {"description": "meet", "subagent_type": "default-agent"}
        return calls_reply(
            *(scripted_call("Task", prompt=f"I am {name}.", **task) for name in ("one", "two"))
        )


async def test_agents_work_side_by_side_and_each_answer_has_its_place(harness: Harness) -> None:
    model = Meeting()
    async with asyncio.timeout(60):
        outcome = await harness.run_prompt(model, "Meet.")
    assert outcome.answer == "met"
    one, two = model.requests[-1].messages[-2:]
    assert "Hello from I am one." in str(one["content"])
    assert "Hello from I am two." in str(two["content"])
    assert one["tool_call_id"] != two["tool_call_id"]
