"""Replies that say nothing: an empty object, tags without words, a tool's description."""

from __future__ import annotations

import re
from typing import Final

from mini_agent.tool_parsing.found_ import Tools
from mini_agent.tool_parsing.json_calls import is_schema
from mini_agent.tool_parsing.lenient_json import Unreadable, read_value

BLANKS: Final = frozenset(("{}", "[]", "null", "None", '""', "''", "{ }"))
ONLY_TAGS: Final = re.compile(
    r"(?:\s|</?[A-Za-z_][\w.:-]{0,40}/?>|<\|[^<>|]{1,40}\|>|\[/?[A-Z_]{3,20}\]"
    r"|```\w{0,20}(?=\s|\Z))+"
)


def says_nothing(text: str, tools: Tools) -> bool:
    """Whether there is not a word in it for the reader."""
    return text in BLANKS or bool(ONLY_TAGS.fullmatch(text)) or _describes_a_tool(text, tools)


def _describes_a_tool(text: str, tools: Tools) -> bool:
    """Whether it is what the model was told of one of `tools`, given back."""
    if text[:1] != "{" or not any(name in text for name in tools):
        return False
    try:
        read = read_value(text, 0)
    except Unreadable:
        return False
    is_all = not text[read.end :].strip()
    return is_all and isinstance(read.value, dict) and is_schema(read.value)
