"""How much room messages take: characters counted, tokens estimated."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import Message

# What code and English come to with the vocabularies of small models; other scripts take more.
ASCII_CHARS_PER_TOKEN: Final = 3.2
TOKENS_PER_MESSAGE: Final = 6
PICTURE_CHARS: Final = 3000


def chars_of(message: Message) -> int:
    """The characters of a message, its calls included; a picture counts like a page of text."""
    return sum(len(text) for text in _texts(message))


def tokens_of(message: Message) -> int:
    """An estimate of the message's tokens, rather too high than too low."""
    return TOKENS_PER_MESSAGE + sum(estimated_tokens(text) for text in _texts(message))


@dataclass(slots=True)
class TokenCounter:
    """Estimates the tokens of a text that comes in pieces."""

    ascii_chars: int = 0
    other_chars: int = 0

    def add(self, piece: str) -> None:
        """Counts one more piece."""
        plain = len(piece) if piece.isascii() else sum(each < "\x80" for each in piece)
        self.ascii_chars += plain
        self.other_chars += len(piece) - plain

    @property
    def tokens(self) -> int:
        """The estimate for all pieces together."""
        return tokens_of_bytes(self.ascii_chars) + self.other_chars


def estimated_tokens(text: str) -> int:
    """An estimate of the tokens in `text`."""
    counter = TokenCounter()
    counter.add(text)
    return counter.tokens


def tokens_of_bytes(size: int) -> int:
    """An estimate of the tokens in a file of so many bytes, as if it were all ASCII."""
    return round(size / ASCII_CHARS_PER_TOKEN)


def tokens_of_tools(tools: Iterable[JsonValue]) -> int:
    """An estimate of what the tools' schemas take."""
    return sum(estimated_tokens(json.dumps(tool)) for tool in tools)


def _texts(message: Message) -> Iterable[str]:
    content, calls = message.get("content"), message.get("tool_calls")
    for part in content if isinstance(content, list) else [content]:
        yield _text(part)
    for call in calls if isinstance(calls, list) else []:
        yield json.dumps(call)


def _text(part: JsonValue) -> str:
    if isinstance(part, dict):
        text = part.get("text")
        return text if isinstance(text, str) else " " * PICTURE_CHARS
    return part if isinstance(part, str) else ""
