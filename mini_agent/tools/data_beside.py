"""Data that a tool gives with its text, or instead of one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from pydantic import JsonValue
from pydantic_core import from_json

from mini_agent.tools.invoker import ToolOutput

MOST: Final = 1000


def with_data(output: ToolOutput, data: JsonValue) -> ToolOutput:
    """`output` with `data` in it: the whole of it where there is no text, else what is short.

    Many tools give the same twice, as text and as data: then the text is enough.
    """
    if output.rc is None:
        return replace(output, error=f"{output.error}\n{_beside(data)}")
    text = output.stdout.strip()
    if not text:
        return replace(output, stdout=written(data))
    if _is_same(text, data):
        return output
    return replace(output, stdout=f"{output.stdout}\n{_beside(data)}")


def written(value: JsonValue) -> str:
    """A value as JSON, its letters as they are."""
    return json.dumps(value, ensure_ascii=False)


def _is_same(text: str, data: JsonValue) -> bool:
    only = next(iter(data.values())) if isinstance(data, dict) and len(data) == 1 else None
    if text == only:
        return True
    try:
        read: JsonValue = from_json(text)
    except ValueError:
        return False
    return read in (data, only)


def _beside(data: JsonValue) -> str:
    text = written(data)
    left = len(text) - MOST
    more = f"... ({left} more characters)" if left > 0 else ""
    return f"data: {text[:MOST]}{more}"
