"""The channels of gpt-oss, where a server passes them on unread."""

from __future__ import annotations

import re
from typing import Final

MESSAGE: Final = re.compile(
    r"(?:<\|start\|>\s*(?P<role>\w+)?)?"
    r"(?P<header>[^<>\n]{0,80}(?:<\|channel\|>[^<>\n]{0,120})?(?:<\|constrain\|>[^<>\n]{0,20})?)"
    r"<\|message\|>(?P<body>.*?)(?P<end><\|end\|>|<\|return\|>|<\|call\|>|(?=<\|start\|>)|\Z)",
    re.DOTALL,
)


def without_channels(text: str) -> str:
    """`text` with the analysis as thoughts and the final answer as words; calls stay in it."""
    if "<|message|>" not in text:
        return text
    return MESSAGE.sub(_as_text, text)


def _as_text(message: re.Match[str]) -> str:
    header, body = message["header"], message["body"]
    if "to=" in header or (message["role"] or "").startswith("functions"):
        return message[0]
    if "analysis" in header:
        return f"<think>{body}</think>"
    return f"{body}\n"
