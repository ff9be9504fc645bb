"""Runs every behaviour of the suite against one agent in a process of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from bench.agents.tool_service import ToolService
from bench.options import ROOT
from mini_agent.agent.prompts import SYSTEM_PROMPT
from mini_agent.testing import ScriptedServer
from mini_agent.testing.replies import JsonObject
from mini_agent.testing.transcript_rules import broken_request_rules
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.behaviour_model import BehaviourModel
from tests.behaviours.judge import RunOutcome, Verdict
from tests.behaviours.recording_invoker import RecordingInvoker

MAX_TURNS: Final = 8
TIMEOUT_S: Final = 20.0
MAX_LINE_BYTES: Final = 1 << 24


class Job(BaseModel):
    """A job for a worker; the same fields as the worker's own class."""

    model_config = ConfigDict(frozen=True)

    url: str
    tools: str
    task: str
    rules: str = SYSTEM_PROMPT
    turns: int = MAX_TURNS
    seconds: float


class JobResult(BaseModel):
    """A worker's result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str = ""
    error: str = ""
    gave_up: bool = False
    seconds: float = 0.0
    ran: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class AgentProcess:
    """A worker process of another agent; one that hangs is killed and started again."""

    key: str
    python: Path
    log: Path
    process: asyncio.subprocess.Process | None = None

    async def verdicts(
        self, suite: Iterable[Behaviour], tools: ToolService
    ) -> AsyncIterator[Verdict]:
        """Each behaviour, run and judged."""
        try:
            for behaviour in suite:
                yield await self._verdict(behaviour, tools)
        finally:
            await self._end()

    async def _verdict(self, behaviour: Behaviour, tools: ToolService) -> Verdict:
        tools.invoker = invoker = RecordingInvoker()
        with ScriptedServer(BehaviourModel(behaviour)) as server:
            job = Job(
                url=server.openai_url,
                tools=tools.url,
                task=behaviour.task,
                seconds=behaviour.seconds,
            )
            result = await self._run_job(job)
        broken = (broken_request_rules(_fill_messages(each.messages)) for each in server.requests)
        outcome = RunOutcome(
            answer=result.answer,
            error=result.error,
            gave_up=result.gave_up,
            seconds=result.seconds,
            ran=(*invoker.ran, *result.ran),
            broken_rules=tuple(rule for rules in broken for rule in rules),
        )
        return Verdict(behaviour, outcome)

    async def _run_job(self, job: Job) -> JobResult:
        patience = job.seconds + TIMEOUT_S
        try:
            async with asyncio.timeout(patience):
                return JobResult.model_validate_json(await self._exchange(job.model_dump_json()))
        except TimeoutError:
            await self._end()
            return JobResult(error="it was killed", seconds=patience)

    async def _exchange(self, line: str) -> bytes:
        process = self.process = self.process or await self._started()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the worker was started without pipes")
        process.stdin.write(f"{line}\n".encode())
        answer = await process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.key}: its worker has ended; see {self.log}")
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(str(self.python), "-m", "bench.agents.worker", self.key),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=MAX_LINE_BYTES,
                # Some run programs that nobody wanted, in the folder they are in.
                cwd=self.log.parent,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        if process.stdout is not None:
            await process.stdout.readline()
        return process

    async def _end(self) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        self.process = None


def _fill_messages(messages: list[JsonObject]) -> list[JsonObject]:
    """OpenAI's own servers take a call without content, and a tool's message that is empty."""
    return [_fill_message(each) for each in messages]


def _fill_message(message: JsonObject) -> JsonObject:
    if message.get("tool_calls"):
        return {**message, "content": message.get("content") or ""}
    if message.get("role") == "tool":
        return {**message, "content": message.get("content") or "(empty)"}
    return message
