"""A model call that failed through LiteLLM: what was asked of whom, and what is said about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

REASON_CHARS: Final = 300
WRAPPING: Final = re.compile(
    r"^((litellm\.)?(\w+(Error|Timeout)|Timeout( Error)?): |\w+(Exception|Error) - )+"
)
OBJECT: Final = re.compile(r" ssl:(default|<[^>]*>)")
SHORTEST_SECRET: Final = 8  # servers without keys are given dummies such as "x"
DEFAULT_ADDRESSES: Final = {
    "ollama": "http://localhost:11434",
    "llamafile": "http://127.0.0.1:8080/v1",
}


@dataclass(frozen=True, slots=True)
class FailedCall:
    """One model call that failed: what was asked of whom, and what LiteLLM says about it."""

    model: str
    address: str
    api_key: str
    timeout_s: float
    status: int
    text: str
    retry_after_s: float | None = None

    @property
    def provider(self) -> str:
        """`ollama` for `ollama_chat/qwen`; empty when the model names none."""
        provider, slash, _ = self.model.partition("/")
        return provider.removesuffix("_chat") if slash else ""

    @property
    def name(self) -> str:
        """`qwen` for `ollama_chat/qwen`."""
        return self.model.rpartition(f"{self.provider}/")[2].removeprefix("ollama_chat/")

    @property
    def where(self) -> str:
        """The address that was asked, as far as it is known."""
        address = self.address or DEFAULT_ADDRESSES.get(self.provider, "")
        return address or f"the address of {self.provider or 'the provider'}"

    @property
    def has_no_address(self) -> bool:
        """Whether what was given as its address is none."""
        try:
            parts = urlsplit(self.address)
        except ValueError:
            return True
        return bool(self.address) and (parts.scheme not in ("http", "https") or not parts.netloc)

    @property
    def reason(self) -> str:
        """The server's own words: one line, short, without LiteLLM's wrapping or the key."""
        line = " ".join(self.text.split("\nTraceback", 1)[0].split())
        line = OBJECT.sub("", WRAPPING.sub("", line))
        quoted = re.search(r'\{"error": ?"(.*)"\}', line)
        said = quoted.group(1) if quoted else line
        hide = len(self.api_key) >= SHORTEST_SECRET
        return (said.replace(self.api_key, "***") if hide else said)[:REASON_CHARS]
