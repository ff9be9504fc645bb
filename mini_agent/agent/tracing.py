"""A run, its model's turns and its tool calls as spans, by the conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/

Messages as spans have them where their content is wanted: a role and its parts, in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

from opentelemetry.trace import Span, SpanKind
from opentelemetry.util.types import AttributeValue
from pydantic import JsonValue

from mini_agent.config import AgentConfig
from mini_agent.messages import JsonObject, Message, replace_surrogates
from mini_agent.model import Model, ModelReply, ModelRequest
from mini_agent.net.telemetry import captures_content, failed, span
from mini_agent.result import AgentResult, Usage
from mini_agent.tools.invoker import ToolOutput
from mini_agent_protocol.execution import Execution


def serialize_messages(messages: Sequence[Message]) -> str:
    """What a model is shown."""
    told: list[JsonValue] = [
        {"role": message.get("role"), "parts": list(_parts(message))} for message in messages
    ]
    return to_json_text(told)


def serialize_reply(reply: ModelReply) -> str:
    """What a model said."""
    thought: list[JsonValue] = [{"type": "reasoning", "content": reply.reasoning}]
    said: list[JsonValue] = [{"type": "text", "content": reply.text}]
    parts: list[JsonValue] = [*(thought if reply.reasoning else []), *(said if reply.text else [])]
    parts += [_call(call.id, call.name, call.arguments) for call in reply.tool_calls]
    told: JsonObject = {
        "role": "assistant",
        "parts": parts,
        "finish_reason": reply.finish_reason,
    }
    return to_json_text([told])


def to_json_text(value: JsonValue) -> str:
    """Text as it is, all else as JSON."""
    return replace_surrogates(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )


def _parts(message: Message) -> Iterator[JsonValue]:
    content, calls = message.get("content"), message.get("tool_calls")
    if message.get("role") == "tool":
        yield {
            "type": "tool_call_response",
            "id": message.get("tool_call_id"),
            "response": content,
        }
    elif isinstance(content, list):
        yield from content
    elif content:
        yield {"type": "text", "content": content}
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(function := call.get("function"), dict):
            yield _call(call.get("id"), function.get("name"), function.get("arguments"))


def _call(call_id: JsonValue, name: JsonValue, arguments: JsonValue) -> JsonObject:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


AGENT_NAME: Final = "mini-agent"
# What LiteLLM calls them: what the conventions call them, where that is another word.
PROVIDER_NAMES: Final[Mapping[str, str]] = {
    "ollama_chat": "ollama",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
PROVIDERS_BY_PREFIX: Final[Mapping[str, str]] = {"claude": "anthropic", "gpt-": "openai"}

Attributes = dict[str, AttributeValue]


async def trace_run(config: AgentConfig, run: Awaitable[AgentResult]) -> AgentResult:
    """What comes of `run`, within a span `invoke_agent`."""
    asked: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": AGENT_NAME,
        "gen_ai.agent.version": version(AGENT_NAME),
        "gen_ai.provider.name": provider_name(config.model),
        "gen_ai.request.model": config.model,
    }
    with span(f"invoke_agent {AGENT_NAME}", SpanKind.INTERNAL, asked) as begun:
        result = await run
        _set_result(begun, result)
        return result


class TracedModel:
    """`model`, each of whose turns is a span `chat`."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def reply(self, request: ModelRequest) -> ModelReply:
        """The model's turn; raises what `model` raises."""
        with span(f"chat {request.model}", SpanKind.CLIENT, _request_attributes(request)) as begun:
            reply = await self._model.reply(request)
            if begun.is_recording():
                _set_reply(begun, request, reply)
            return reply


@contextmanager
def trace_tool_call(
    call_id: str, name: str, arguments: Mapping[str, JsonValue]
) -> Iterator[Callable[[ToolOutput], None]]:
    """`execute_tool`, round one call; what is yielded takes its output."""
    asked: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.type": "function",
    }
    with span(f"execute_tool {name}", SpanKind.INTERNAL, asked) as begun:
        if begun.is_recording() and captures_content():
            begun.set_attribute("gen_ai.tool.call.arguments", to_json_text(dict(arguments)))
        yield lambda output: _set_output(begun, output)


def provider_name(model: str) -> str:
    """Who serves `model`, as the conventions name them."""
    prefix, slash, _ = model.partition("/")
    if slash:
        return PROVIDER_NAMES.get(prefix, prefix)
    return next(
        (who for begin, who in PROVIDERS_BY_PREFIX.items() if model.startswith(begin)), "openai"
    )


def _request_attributes(request: ModelRequest) -> Attributes:
    asked: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider_name(request.model),
        "gen_ai.request.model": request.model,
    }
    if request.temperature is not None:
        asked["gen_ai.request.temperature"] = request.temperature
    most = request.options.get("max_tokens")
    if isinstance(most, int):
        asked["gen_ai.request.max_tokens"] = most
    return asked


def _set_reply(begun: Span, request: ModelRequest, reply: object) -> None:
    if not isinstance(reply, ModelReply):  # a model is foreign code; the loop complains
        return
    begun.set_attributes({"gen_ai.response.finish_reasons": (reply.finish_reason,)})
    begun.set_attributes(_usage_attributes(reply.usage))
    if captures_content():
        begun.set_attribute("gen_ai.input.messages", serialize_messages(request.messages))
        begun.set_attribute("gen_ai.output.messages", serialize_reply(reply))


def _set_result(begun: Span, result: AgentResult) -> None:
    if not begun.is_recording():
        return
    begun.set_attributes(_usage_attributes(result.usage))
    begun.set_attribute("mini_agent.stopped_reason", result.stopped_reason)
    begun.set_attribute("mini_agent.iterations", len(result.iterations))
    if result.stopped_reason == "error":
        failed(begun, "error")


def _set_output(begun: Span, output: ToolOutput) -> None:
    if not begun.is_recording():
        return
    if output.rc is not None:
        begun.set_attribute("mini_agent.tool.rc", output.rc)
    if output.execution is not None:
        begun.set_attributes(_execution_attributes(output.execution))
    if not output.ok:
        failed(begun, output.status or ("not_run" if output.rc is None else "nonzero"))
    if captures_content():
        said = output.told or output.stdout or output.stderr or output.error or ""
        begun.set_attribute("gen_ai.tool.call.result", to_json_text(said))


def _usage_attributes(usage: Usage) -> Attributes:
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
    }


def _execution_attributes(execution: Execution) -> Attributes:
    took = execution.timings_ms
    return {
        "mini_agent.sandbox.language": execution.language,
        "mini_agent.sandbox.status": execution.status,
        "mini_agent.sandbox.exit_code": execution.exit_code,
        "mini_agent.sandbox.queue_ms": took.queue,
        "mini_agent.sandbox.start_ms": took.start,
        "mini_agent.sandbox.run_ms": took.compile + took.run,
        "container.image.name": execution.sandbox.image,
    }
