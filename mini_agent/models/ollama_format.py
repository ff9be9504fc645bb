"""Converts requests to Ollama's `/api/chat` and its answers back to OpenAI's format."""

from __future__ import annotations

import json
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject, Message, parse_json_object
from mini_agent.model import ModelRequest, context_tokens

IMAGE_ELSEWHERE: Final = "(an image at {url}, which Ollama does not fetch)"


def build_ollama_body(request: ModelRequest, model: str) -> JsonObject:
    """Build the body of a request; it is not streamed, since a stream puts calls into the text."""
    body: JsonObject = {
        "model": model,
        "messages": [_convert_message(message) for message in request.messages],
        "stream": False,
        "options": {"num_ctx": context_tokens(request.model, request.num_ctx)},
    }
    if request.tools:
        body["tools"] = list(request.tools)
    return body


def _convert_message(message: Message) -> JsonObject:
    text, images = _split_content(message.get("content"))
    converted: JsonObject = {"role": message["role"], "content": text}
    if images:
        converted["images"] = list(images)
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        converted["tool_calls"] = [_convert_call(call) for call in calls if isinstance(call, dict)]
    if message.get("tool_call_id"):
        converted["tool_call_id"] = message["tool_call_id"]
    return converted


def _convert_call(call: JsonObject) -> JsonObject:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    named: JsonObject = {"name": function.get("name"), "arguments": _parse_arguments(arguments)}
    return {"id": call.get("id"), "type": "function", "function": named}


def _parse_arguments(arguments: JsonValue) -> JsonObject:
    if isinstance(arguments, dict):
        return arguments
    try:
        return parse_json_object(str(arguments or "{}"))
    except ValueError:
        return {"arguments": arguments}


def _split_content(content: JsonValue) -> tuple[str, list[str]]:
    """Split the parts of a content into its text and its images in base64."""
    if not isinstance(content, list):
        return str(content or ""), []
    texts: list[str] = []
    images: list[str] = []
    for part in content:
        if not isinstance(part, dict):
            continue
        url = _image_url(part)
        _, is_embedded, encoded = url.partition(";base64,")
        if is_embedded:
            images.append(encoded)
        elif url:
            texts.append(IMAGE_ELSEWHERE.format(url=url))
        else:
            texts.append(str(part.get("text") or ""))
    return "\n".join(texts), images


def _image_url(part: JsonObject) -> str:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    return url if isinstance(url, str) else ""


def convert_ollama_answer(answer: JsonObject) -> JsonObject:
    """Convert an answer to a completion; one that never ended has no finish reason."""
    message = answer.get("message")
    message = message if isinstance(message, dict) else {}
    calls = message.get("tool_calls")
    converted: JsonObject = {
        "role": "assistant",
        "content": message.get("content"),
        "reasoning_content": message.get("thinking"),
        "tool_calls": _number_calls(calls if isinstance(calls, list) else []),
    }
    reason = str(answer.get("done_reason") or "stop")
    finish = "tool_calls" if reason == "stop" and calls else reason
    prompt, completion = answer.get("prompt_eval_count"), answer.get("eval_count")
    return {
        "model": answer.get("model"),
        "choices": [{"index": 0, "message": converted, "finish_reason": finish}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion},
    }


def _number_calls(calls: list[JsonValue]) -> list[JsonValue]:
    """Give the calls ids, which older servers do not."""
    numbered: list[JsonValue] = []
    for number, call in enumerate(calls, start=1):
        if isinstance(call, dict):
            function = call.get("function")
            named = dict(function) if isinstance(function, dict) else {}
            arguments = named.get("arguments")
            is_text = isinstance(arguments, str)
            named["arguments"] = arguments if is_text else json.dumps(arguments or {})
            numbered.append({**call, "id": call.get("id") or f"call_{number}", "function": named})
    return numbered
