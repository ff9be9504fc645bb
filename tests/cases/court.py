"""The court: asks a running service a case over HTTP, and has its answers judged."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import ValidationError

from mini_agent.errors import Problem
from mini_agent.sandbox import Execution, SessionOpened
from tests.cases.case import Case, Step
from tests.cases.judge import Answer, faults

EXECUTE: Final = "/v1/execute"
JSON: Final = {"Content-Type": "application/json"}
TRIES: Final = 60
SLOWER: Final = 3.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a case: `faults` is empty where it is as it should be."""

    case: Case
    faults: tuple[str, ...]
    seconds: float
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What is there for cases to use: packages, and whether sandboxes share the host's kernel."""

    packages: frozenset[str]
    runtime: str = "runc"

    def obstacle(self, case: Case) -> str:
        """Why the case cannot be asked here; empty where it can."""
        missing = [name for name in case.packages if name.lower() not in self.packages]
        if missing:
            return f"not in the image: {', '.join(missing)}"
        return case.unsuited or (case.host_kernel if self.has_own_kernels else "")

    @property
    def has_own_kernels(self) -> bool:
        """Whether each sandbox has a kernel of its own, in which everything takes longer."""
        return self.runtime.startswith("runsc")


class Court:
    """Judges cases by what the service behind `client` does with them, `at_once` at a time."""

    def __init__(self, client: httpx.AsyncClient, place: Place, at_once: int = 4) -> None:
        self._client, self._place = client, place
        self._patience = SLOWER if place.has_own_kernels else 1.0
        self._turns = asyncio.Semaphore(at_once)

    async def judge(self, cases: Sequence[Case]) -> tuple[Judgement, ...]:
        """The judgements, in the order of the cases."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(case)) for case in cases]
        return tuple(task.result() for task in tasks)

    async def _one(self, case: Case) -> Judgement:
        if obstacle := self._place.obstacle(case):
            return Judgement(case, (), 0.0, skipped=obstacle)
        async with self._turns:
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                copies = [group.create_task(self._steps(case)) for _ in range(case.copies)]
            wrong = tuple(fault for copy in copies for fault in copy.result())
        return Judgement(case, wrong, time.perf_counter() - began)

    async def _steps(self, case: Case) -> tuple[str, ...]:
        wrong: list[str] = []
        async with self._path(case) as path:
            for number, step in enumerate(case.steps, start=1):
                where = f"step {number}: " if case.then else ""
                answer = await self._ask(path, step)
                wrong.extend(where + fault for fault in faults(step, answer, self._patience))
        return tuple(wrong)

    @asynccontextmanager
    async def _path(self, case: Case) -> AsyncIterator[str]:
        if not case.session:
            yield EXECUTE
            return
        opened = await self._post("/v1/sessions", b"{}")
        opened.raise_for_status()
        session = f"/v1/sessions/{SessionOpened.model_validate_json(opened.content).id}"
        try:
            yield f"{session}/execute"
        finally:
            await self._client.delete(session)

    async def _ask(self, path: str, step: Step) -> Answer:
        began = time.perf_counter()
        response = await self._post(path, body_of(step))
        seconds = time.perf_counter() - began
        try:
            if response.status_code == httpx.codes.OK:
                ran = Execution.model_validate_json(response.content)
                return Answer(response.status_code, seconds, execution=ran)
            problem = Problem.model_validate_json(response.content).error
        except ValidationError:
            return Answer(response.status_code, seconds)
        return Answer(response.status_code, seconds, problem=problem)

    async def _post(self, path: str, body: bytes) -> httpx.Response:
        """The answer; one that is told to come back later does."""
        for _ in range(TRIES - 1):
            response = await self._client.post(path, content=body, headers=JSON)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return response
            await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
        return await self._client.post(path, content=body, headers=JSON)


def body_of(step: Step) -> bytes:
    """The request as bytes of JSON, in which a file's name may be there twice."""
    code = step.code * step.code_repeat
    asked: dict[str, object] = {"language": step.language, "code": code}
    optional = {
        "stdin": step.stdin,
        "stdin_base64": step.stdin_base64,
        "args": step.args,
        "env": step.env,
        "limits": step.limits,
        "artifacts": step.artifacts,
        "toolchain": step.toolchain,
        "isolation": step.isolation,
        "stateful": step.stateful,
    }
    asked |= {name: value for name, value in optional.items() if value}
    files = [(name, _base64(content)) for name, content in step.files]
    pairs = ", ".join(_member(name, to) for name, to in (*files, *step.files_base64))
    members = [*(_member(name, to) for name, to in asked.items()), '"files": {' + pairs + "}"]
    return ("{" + ", ".join(members) + "}").encode()


def _member(name: str, value: object) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}"


def _base64(content: str) -> str:
    return base64.b64encode(content.encode()).decode()
