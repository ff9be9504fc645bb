"""Traces a run, its model's turns and its tool calls as spans.

They follow OpenTelemetry's conventions for generative AI:
https://opentelemetry.io/docs/specs/semconv/gen-ai/
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
from mini_agent.net.telemetry import captures_content, record_failure, span
from mini_agent.result import AgentResult, Usage
from mini_agent.tools.invoker import ToolOutput
from mini_agent_protocol.execution import Execution


def serialize_messages(messages: Sequence[Message]) -> str:
    """Serializes the messages of a request to JSON: a role and its parts for each."""
    serialized: list[JsonValue] = [
        {"role": message.get("role"), "parts": list(_parts(message))} for message in messages
    ]
    return to_json_text(serialized)


def serialize_reply(reply: ModelReply) -> str:
    """Serializes a model's reply to JSON, in the same form."""
    parts: list[JsonValue] = []
    if reply.reasoning:
        parts.append({"type": "reasoning", "content": reply.reasoning})
    if reply.text:
        parts.append({"type": "text", "content": reply.text})
    parts += [_call(call.id, call.name, call.arguments) for call in reply.tool_calls]
    message: JsonObject = {
        "role": "assistant",
        "parts": parts,
        "finish_reason": reply.finish_reason,
    }
    return to_json_text([message])


def to_json_text(value: JsonValue) -> str:
    """Returns text unchanged, and any other value as JSON."""
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
# LiteLLM's names of providers -> the conventions' names, where they differ.
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
    """Awaits `run` within a span `invoke_agent`."""
    attributes: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": AGENT_NAME,
        "gen_ai.agent.version": version(AGENT_NAME),
        "gen_ai.provider.name": provider_name(config.model),
        "gen_ai.request.model": config.model,
    }
    with span(f"invoke_agent {AGENT_NAME}", SpanKind.INTERNAL, attributes) as active_span:
        result = await run
        _set_result(active_span, result)
        return result


class TracedModel:
    """A model whose replies are spans `chat`."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Requests a reply; raises what the traced model raises."""
        with span(
            f"chat {request.model}", SpanKind.CLIENT, _request_attributes(request)
        ) as active_span:
            reply = await self._model.reply(request)
            if active_span.is_recording():
                _set_reply(active_span, request, reply)
            return reply


@contextmanager
def trace_tool_call(
    call_id: str, name: str, arguments: Mapping[str, JsonValue]
) -> Iterator[Callable[[ToolOutput], None]]:
    """Traces a call as a span `execute_tool`; yields the function that records its output."""
    attributes: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.type": "function",
    }
    with span(f"execute_tool {name}", SpanKind.INTERNAL, attributes) as active_span:
        if active_span.is_recording() and captures_content():
            active_span.set_attribute("gen_ai.tool.call.arguments", to_json_text(dict(arguments)))
        yield lambda output: _set_output(active_span, output)


def provider_name(model: str) -> str:
    """Returns the provider of `model`, by the conventions' name."""
    prefix, slash, _ = model.partition("/")
    if slash:
        return PROVIDER_NAMES.get(prefix, prefix)
    return next(
        (name for start, name in PROVIDERS_BY_PREFIX.items() if model.startswith(start)), "openai"
    )


def _request_attributes(request: ModelRequest) -> Attributes:
    attributes: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider_name(request.model),
        "gen_ai.request.model": request.model,
    }
    if request.temperature is not None:
        attributes["gen_ai.request.temperature"] = request.temperature
    max_tokens = request.options.get("max_tokens")
    if isinstance(max_tokens, int):
        attributes["gen_ai.request.max_tokens"] = max_tokens
    return attributes


def _set_reply(active_span: Span, request: ModelRequest, reply: object) -> None:
    if not isinstance(reply, ModelReply):  # a model is foreign code; the loop raises
        return
    active_span.set_attributes({"gen_ai.response.finish_reasons": (reply.finish_reason,)})
    active_span.set_attributes(_usage_attributes(reply.usage))
    if captures_content():
        active_span.set_attribute("gen_ai.input.messages", serialize_messages(request.messages))
        active_span.set_attribute("gen_ai.output.messages", serialize_reply(reply))


def _set_result(active_span: Span, result: AgentResult) -> None:
    if not active_span.is_recording():
        return
    active_span.set_attributes(_usage_attributes(result.usage))
    active_span.set_attribute("mini_agent.stopped_reason", result.stopped_reason)
    active_span.set_attribute("mini_agent.iterations", len(result.iterations))
    if result.stopped_reason == "error":
        record_failure(active_span, "error")


def _set_output(active_span: Span, output: ToolOutput) -> None:
    if not active_span.is_recording():
        return
    if output.rc is not None:
        active_span.set_attribute("mini_agent.tool.rc", output.rc)
    if output.execution is not None:
        active_span.set_attributes(_execution_attributes(output.execution))
    if not output.ok:
        record_failure(
            active_span, output.status or ("not_run" if output.rc is None else "nonzero")
        )
    if captures_content():
        text = output.model_text or output.stdout or output.stderr or output.error or ""
        active_span.set_attribute("gen_ai.tool.call.result", to_json_text(text))


def _usage_attributes(usage: Usage) -> Attributes:
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
    }


def _execution_attributes(execution: Execution) -> Attributes:
    timings = execution.timings_ms
    return {
        "mini_agent.sandbox.language": execution.language,
        "mini_agent.sandbox.status": execution.status,
        "mini_agent.sandbox.exit_code": execution.exit_code,
        "mini_agent.sandbox.queue_ms": timings.queue,
        "mini_agent.sandbox.start_ms": timings.start,
        "mini_agent.sandbox.run_ms": timings.compile + timings.run,
        "container.image.name": execution.sandbox.image,
    }
