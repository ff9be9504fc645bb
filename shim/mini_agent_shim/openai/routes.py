"""`/v1`: the agent as a model, for clients of OpenAI's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mini_agent.messages import Message
from mini_agent_protocol.asgi.disconnect import run_while_connected
from mini_agent_shim.api.openapi import (
    AUTH_PROBLEMS,
    PROBLEMS,
    READ_PROBLEMS,
    RUN_PROBLEMS,
    STREAM_CONTENT,
    Responses,
)
from mini_agent_shim.errors import NotFound, RunNotFound
from mini_agent_shim.http.auth import Caller, get_caller
from mini_agent_shim.http.event_stream import stream_texts
from mini_agent_shim.openai.chat import (
    ChatCompletionBuilder,
    convert_chat_request,
    read_chat_tools,
)
from mini_agent_shim.openai.chat_models import ChatCompletion, ChatRequest, ModelCard, ModelList
from mini_agent_shim.openai.common import (
    MODEL_NAME,
    parse_model,
    read_client_tools,
    response_headers,
)
from mini_agent_shim.openai.response_models import ResponseObject, ResponsesRequest
from mini_agent_shim.openai.responses import (
    ID_PREFIX,
    ResponseBuilder,
    convert_responses_request,
)
from mini_agent_shim.runs.registry import RunOrigin
from mini_agent_shim.runs.run_task import RunTask, end_on_disconnect
from mini_agent_shim.service import RunService

STREAM_RESPONSE: Final[Responses] = {
    200: {"content": STREAM_CONTENT, "description": "The answer; with `stream`, its pieces."}
}


@dataclass(frozen=True, slots=True)
class OpenAiRoutes:
    """The routes below `/v1`."""

    service: RunService

    def router(self) -> APIRouter:
        """Create the router."""
        router = APIRouter(prefix="/v1", tags=["openai"])
        router.add_api_route("/models", self.models, responses=AUTH_PROBLEMS)
        router.add_api_route("/models/", self.models, include_in_schema=False)
        router.add_api_route("/models/{name:path}", self.one_model, responses=READ_PROBLEMS)
        asking = RUN_PROBLEMS | STREAM_RESPONSE | {404: PROBLEMS[404]}
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
        """List the agent, with the default model and with that model by its name."""
        own = self.service.settings.default_model
        names = (MODEL_NAME, f"{MODEL_NAME}/{own}") if own else (MODEL_NAME,)
        return ModelList(data=tuple(ModelCard(id=name) for name in names))

    async def one_model(self, name: str) -> ModelCard:
        """Return one model; any name after `mini-agent/` is accepted."""
        parse_model(name)
        return ModelCard(id=name)

    async def chat(self, request: Request, body: ChatRequest) -> Response:
        """Run the agent on the messages, and return a chat completion."""
        plan = self.service.plan_run(convert_chat_request(body))
        tools = read_chat_tools(body)
        run = self.service.runs.start(plan, RunOrigin(get_caller(request), "chat"))
        return await _respond(request, run, ChatCompletionBuilder(_run_id(run), body, tools))

    async def responses(self, request: Request, body: ResponsesRequest) -> Response:
        """Run the agent on the input, and return a response, as Codex expects it."""
        caller = get_caller(request)
        earlier = await self._earlier_messages(body.previous_response_id, caller)
        plan = self.service.plan_run(convert_responses_request(body, earlier))
        tools = read_client_tools(body.tools, body.tool_choice)
        run = self.service.runs.start(plan, RunOrigin(caller, "responses"))
        return await _respond(request, run, ResponseBuilder(_run_id(run), body, tools))

    async def _earlier_messages(self, response_id: str | None, caller: Caller) -> list[Message]:
        if response_id is None:
            return []
        run_id = response_id.removeprefix(ID_PREFIX)
        try:
            self.service.runs.find(run_id, caller)
        except RunNotFound:
            raise NotFound(
                "previous_response_not_found",
                f"there is no response {response_id[:60]!r}",
                hint="send the whole conversation as input",
            ) from None
        return (await self.service.replay_result(run_id)).messages


def _run_id(run: RunTask) -> str:
    return run.recorder.summary.id


async def _respond(
    request: Request, run: RunTask, answer: ChatCompletionBuilder | ResponseBuilder
) -> Response:
    headers = response_headers(answer.run_id, answer.tools.declined)
    if answer.request.stream:
        texts = answer.stream(run.events())
        return stream_texts(texts, end_on_disconnect(run), headers)
    async with end_on_disconnect(run):
        result = await run_while_connected(request.receive, run.result())
    content = answer.build(result).model_dump_json()
    return Response(content, media_type="application/json", headers=headers)
