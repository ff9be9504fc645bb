"""The wordings of model servers for a conversation that is too long, and for refused pictures.

Each server has its own status and words for the same fault, and changes them now and then.
"""

from __future__ import annotations

import re
from typing import Final

CONTEXT_WORDINGS: Final = (
    # OpenAI, vLLM, SGLang, DeepSeek, OpenRouter, llama.cpp, LM Studio, Ollama, TensorRT
    r"context[_ -](size|length|window|limit|overflow)",
    r"context (shift|the overflows)|ContextWindowExceeded|exceeds? .{0,20}context",
    r"max(imum)?[_ -](model|seq|sequence|prompt|input|allowed)[_ -](len|length|tokens)",
    r"reduce (the |your )?(length|size) of|reduce your prompt|shorten (the|your) (prompt|input)",
    r"too large to process|n_keep|tokens to keep from the initial prompt",
    r"max_tokens must be at least 1, got -|tokens? .{0,60}exceeds? the (model|configured)",
    # Anthropic, Fireworks, Bedrock, Cohere
    r"prompt is too (long|large)|prompt too (long|large)",
    r"(input|message|conversation|history)s? (is|are) too long|too many (input |total )?tokens",
    r"(input|prompt|request)( is)? too (long|large)( for|:|;|$)|more than (the )?max",
    r"request_too_large|request exceeds the maximum (size|allowed number of bytes)",
    # Gemini, Vertex, Copilot, Azure
    r"(input|prompt) token count.{0,40}exceeds|exceeds the maximum (number of )?(input )?tokens",
    r"(token count|tokens?) .{0,30}exceeds the (limit|maximum)|body too large for .{0,40}model",
    # Mistral, Moonshot, Zhipu, DashScope, MiniMax, xAI
    r"too large for model with|exceeded model token limit|prompt exceeds max(imum)? length",
    r"range of input length should be|input length .{0,40}(exceeds|greater|longer)",
    r"longer than the (maximum|model)|greater than max_seq_len|maximum prompt length",
    # Text Generation Inference, Together
    r"inputs.{0,40}must (have|be) (less|<=|at most|smaller)|total number of tokens in the prompt",
    r"string_above_max_length|exceed_context_size|tokens_limit_reached",
)
PICTURE_WORDINGS: Final = (
    r"(image|vision|multi-?modal|picture|media)( \w+){0,3} (is|are)(n't| not) (supported|enabled)",
    r"not (currently )?(support|accept|allow|take|process)s?( \w+){0,2} (image|vision)",
    r"not (currently )?(support|accept|allow|take|process)s?( \w+){0,2} multi-?modal",
    r"(no endpoints|not? models?) found that support image",
    r"required for image input|image_url.{0,40}only supported",
    r"unknown (variant|part type).{0,4}image",
    r"not a (multi-?modal|vision)|(vision|multi-?modal) add-?on is not loaded|mmproj",
    r"multi-?modal data provided|at most 0 (image|\w+ image)|limit-mm-per-prompt",
    r"could not process (the )?image|unable to process (the )?(input )?image|invalid.{0,20}image",
    r"failed to (process|load|decode|read) (the )?(inputs?: )?image|unsupported image",
    r"image.{0,40}exceeds|image dimensions|valid image|image media type|unsupported mime",
    r"image was specified using|cannot (identify|decode|read).{0,12}image|invalid_image",
)
# Said of any content in parts; they are about pictures where the request has some.
CONTENT_WORDINGS: Final = (
    r"image|vision|multi-?modal|picture|media[_ ]type|mime",
    r"content.{0,60}(must be|should be|expected|as) (a |an )?(valid )?(plain )?(string|text)",
    r"(valid|expected( a)?|not a) (string|str)\b|invalid type: sequence|concatenate str",
    r"(unknown|unsupported|invalid) (content )?(part|block|type)|only (plain )?text",
)


def _compile(wordings: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(wordings), re.IGNORECASE | re.DOTALL)


TOO_LONG: Final = _compile(CONTEXT_WORDINGS)
NO_PICTURES: Final = _compile(PICTURE_WORDINGS)
ODD_CONTENT: Final = _compile(CONTENT_WORDINGS)
