"""Prices and context sizes of models, from the list in LiteLLM's package, which is not imported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mini_agent.messages import JsonObject
from mini_agent.result import Usage

CATALOG_FILE: Final = "model_prices_and_context_window_backup.json"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one token; 0 where the price is not known."""

    prompt: float = 0.0
    cached: float = 0.0
    completion: float = 0.0

    def cost(self, usage: Usage) -> float:
        """Compute the price of a reply."""
        uncached = usage.prompt_tokens - usage.cached_tokens
        return (
            uncached * self.prompt
            + usage.cached_tokens * self.cached
            + usage.completion_tokens * self.completion
        )


def find_price(model: str) -> Price:
    """Find the price of a model by its own name, such as gpt-4.1."""
    entry = find_entry(model)
    prompt = _number(entry, "input_cost_per_token")
    cached = _number(entry, "cache_read_input_token_cost") or prompt
    return Price(prompt, cached, _number(entry, "output_cost_per_token"))


def find_max_input_tokens(model: str) -> int | None:
    """Find how many tokens a prompt of the model may have; None for an unknown model."""
    entry = find_entry(model)
    return int(_number(entry, "max_input_tokens") or _number(entry, "max_tokens")) or None


@lru_cache(maxsize=32)
def find_entry(model: str) -> JsonObject:
    """Find the list's entry for a model; empty where it has none."""
    # The list has 3 MB: only the entry is parsed.
    text = _read_catalog()
    key = f"{json.dumps(model)}: "
    place = text.find(f"\n    {key}")
    if place < 0:
        return {}
    try:
        entry, _ = json.JSONDecoder().raw_decode(text, text.index(key, place) + len(key))
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _read_catalog() -> str:
    package = find_spec("litellm")
    folder = Path(package.origin).parent if package and package.origin else Path()
    try:
        return (folder / CATALOG_FILE).read_text(encoding="utf-8")
    except OSError:
        return ""


def _number(entry: JsonObject, key: str) -> float:
    value = entry.get(key)
    return float(value) if isinstance(value, int | float) else 0.0
