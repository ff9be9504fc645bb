"""A session of the application, called over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from pydantic import JsonValue

from mini_agent.errors import Problem
from mini_agent.sandbox import Execution, SessionFacts, SessionOpened


@dataclass(frozen=True)
class Client:
    """A session, called over HTTP."""

    http: httpx.AsyncClient
    path: str

    async def post(self, code: str, language: str = "bash", **more: JsonValue) -> httpx.Response:
        snippet = {"language": language, "code": code} | more
        return await self.http.post(f"{self.path}/execute", json=snippet)

    async def run(self, code: str, language: str = "bash", **more: JsonValue) -> Execution:
        answer = await self.post(code, language, **more)
        assert answer.status_code == 200, answer.text
        return Execution.model_validate_json(answer.content)


async def open_session(http: httpx.AsyncClient, **asked: JsonValue) -> Client:
    answer = await http.post("/v1/sessions", json=asked)
    assert answer.status_code == 201, answer.text
    return Client(http, f"/v1/sessions/{SessionOpened.model_validate_json(answer.content).id}")


def facts(execution: Execution) -> SessionFacts:
    assert execution.session is not None
    return execution.session


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, Problem.model_validate_json(answer.content).error.code
