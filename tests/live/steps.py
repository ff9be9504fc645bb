"""A model without tools, and a count of how many of its turns are whole steps of the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import JsonValue

from mini_agent import LiteLLMModel
from mini_agent.agent.prompted_tools import FINAL_KEY, parse_step
from mini_agent.errors import ModelError, NoToolSupport
from mini_agent.model import ModelReply, ModelRequest

PLAIN_TEXT: Final = "^[a-z0-9 (),.]{1,200}$"
FORM: Final = "response_format"


@dataclass
class WithoutTools:
    """The live model behind a server that takes no tools, and a schema only if `takes_schema`.

    The schema's texts are held to 200 plain characters: random weights, other than any model's,
    never close a quote and write bytes that are no text.
    """

    takes_schema: bool
    asked: int = 0
    steps: int = 0
    model: LiteLLMModel = field(default_factory=LiteLLMModel)

    async def reply(self, request: ModelRequest) -> ModelReply:
        """The model's turn."""
        if request.tools:
            raise NoToolSupport("no tools here")
        if FORM in request.options and not self.takes_schema:
            raise ModelError("no schemas here")
        bounded = {name: _bounded(value) for name, value in request.options.items()}
        reply = await self.model.reply(replace(request, options=bounded))
        # The last word of a run is in plain words, by no protocol.
        if f'"{FINAL_KEY}"' in str(request.messages[0]["content"]):
            self.asked += 1
            self.steps += parse_step(reply.text) is not None
        return reply


def _bounded(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_bounded(each) for each in value]
    if not isinstance(value, dict):
        return value
    bound: dict[str, JsonValue] = {"pattern": PLAIN_TEXT} if _is_text(value) else {}
    return {name: _bounded(each) for name, each in value.items()} | bound


def _is_text(schema: dict[str, JsonValue]) -> bool:
    return schema.get("type") == "string"
