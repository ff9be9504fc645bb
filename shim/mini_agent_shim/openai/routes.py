"""`/v1`: the agent as a model, for whatever speaks to OpenAI's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mini_agent.messages import Message
from mini_agent_protocol.asgi.disconnect import run_while_connected
from mini_agent_shim.api.openapi import (
    AT_THE_DOOR,
    BEGINNING,
    PROBLEMS,
    READING,
    STREAM,
    Described,
)
from mini_agent_shim.errors import NoSuchRun, NotFound
from mini_agent_shim.http.caller import Caller, caller_of
from mini_agent_shim.http.event_stream import stream_texts
from mini_agent_shim.openai.chat import (
    Chat,
    ChatCompletion,
    ChatRequest,
    ModelCard,
    ModelList,
    declined_by_chat,
    run_of_chat,
)
from mini_agent_shim.openai.common import (
    NAME,
    declined,
    headers_of,
    model_named,
)
from mini_agent_shim.openai.responses import (
    PREFIX,
    Responding,
    ResponseObject,
    ResponsesRequest,
    run_of_responses,
)
from mini_agent_shim.runs.registry import Asker
from mini_agent_shim.runs.run_task import LiveRun, ended_with_its_caller
from mini_agent_shim.service import Service

STREAMED: Final[Described] = {
    200: {"content": STREAM, "description": "The answer; with `stream`, its pieces."}
}


@dataclass(frozen=True, slots=True)
class OpenAiRoutes:
    """The routes and what a run needs."""

    service: Service

    def router(self) -> APIRouter:
        """The routes as FastAPI takes them."""
        router = APIRouter(prefix="/v1", tags=["openai"])
        router.add_api_route("/models", self.models, responses=AT_THE_DOOR)
        router.add_api_route("/models/{name:path}", self.one_model, responses=READING)
        asking = BEGINNING | STREAMED | {404: PROBLEMS[404]}
        router.add_api_route(
            "/chat/completions",
            self.chat,
            methods=["POST"],
            response_model=ChatCompletion,
            responses=asking,
        )
        router.add_api_route(
            "/responses",
            self.responses,
            methods=["POST"],
            response_model=ResponseObject,
            responses=asking,
        )
        return router

    async def models(self) -> ModelList:
        """The agent, with the service's own model and, by its name, with that one."""
        own = self.service.settings.default_model
        names = (NAME, f"{NAME}/{own}") if own else (NAME,)
        return ModelList(data=tuple(ModelCard(id=name) for name in names))

    async def one_model(self, name: str) -> ModelCard:
        """One of them."""
        model_named(name)
        return ModelCard(id=name)

    async def chat(self, request: Request, asked: ChatRequest) -> Response:
        """Runs the agent on the messages and answers as a model would."""
        order = self.service.order(run_of_chat(asked))
        names = declined_by_chat(asked)
        run = self.service.runs.begin(order, Asker(caller_of(request), "chat"))
        return await _answered(request, run, Chat(_id_of(run), asked, names))

    async def responses(self, request: Request, asked: ResponsesRequest) -> Response:
        """The same in the words of the Responses API, which Codex speaks."""
        caller = caller_of(request)
        earlier = await self._earlier(asked.previous_response_id, caller)
        order = self.service.order(run_of_responses(asked, earlier))
        names = declined(asked.tools, asked.tool_choice)
        run = self.service.runs.begin(order, Asker(caller, "responses"))
        return await _answered(request, run, Responding(_id_of(run), asked, names))

    async def _earlier(self, response_id: str | None, caller: Caller) -> list[Message]:
        if response_id is None:
            return []
        run_id = response_id.removeprefix(PREFIX)
        try:
            self.service.runs.find(run_id, caller)
        except NoSuchRun:
            raise NotFound(
                "previous_response_not_found",
                f"there is no response {response_id[:60]!r}",
                hint="send the whole conversation as input",
            ) from None
        return (await self.service.result_again(run_id)).messages


def _id_of(run: LiveRun) -> str:
    return run.recording.summary.id


async def _answered(request: Request, run: LiveRun, answer: Chat | Responding) -> Response:
    headers = headers_of(answer.run_id, answer.declined)
    if answer.asked.stream:
        pieces = answer.pieces(run.events())
        return stream_texts(pieces, ended_with_its_caller(run), headers)
    async with ended_with_its_caller(run):
        result = await run_while_connected(request.receive, run.result())
    told = answer.whole(result).model_dump_json()
    return Response(told, media_type="application/json", headers=headers)
