"""A completion that LiteLLM streams: its text told as it comes, and the whole of it at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Protocol, TypeAlias

from pydantic import JsonValue

from mini_agent.models.litellm import Completion

OnText: TypeAlias = Callable[[str], None]
COST: Final = "response_cost"


class _Streaming(Protocol):
    """LiteLLM, as far as it is needed for a stream."""

    async def acompletion(self, **parameters: JsonValue) -> AsyncIterator[Completion]: ...

    def stream_chunk_builder(
        self, chunks: list[Completion], messages: JsonValue = None
    ) -> Completion | None: ...

    def completion_cost(self, completion_response: Completion) -> float: ...


async def streamed(
    litellm: _Streaming, parameters: Mapping[str, JsonValue], on_text: OnText
) -> Completion | None:
    """The whole completion, with its cost; `on_text` gets each piece of the answer's text."""
    asked: dict[str, JsonValue] = {
        **parameters,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    chunks: list[Completion] = []
    async for chunk in await litellm.acompletion(**asked):
        chunks.append(chunk)
        text = _text_of(chunk)
        if text:
            on_text(text)
    whole = litellm.stream_chunk_builder(chunks, messages=parameters["messages"])
    if whole is not None:
        _add_cost(litellm, whole)
    return whole


def _text_of(chunk: Completion) -> str:
    choices: list[object] = getattr(chunk, "choices", [])
    delta = getattr(choices[0], "delta", None) if choices else None
    text = getattr(delta, "content", None)
    return text if isinstance(text, str) else ""


def _add_cost(litellm: _Streaming, whole: Completion) -> None:
    hidden: dict[str, object] = getattr(whole, "_hidden_params", {})
    if isinstance(hidden.get(COST), float):
        return
    try:
        hidden[COST] = litellm.completion_cost(completion_response=whole)
    except Exception:  # noqa: BLE001  LiteLLM raises what it likes for a model without a price
        hidden[COST] = 0.0
