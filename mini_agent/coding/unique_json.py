"""Reads JSON in which no object has a key twice: of two values one would be dropped in silence."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence


class RepeatedKey(ValueError):
    """An object has a key twice; `key` is it, `line` that of the last one."""

    def __init__(self, key: str, line: int = 1) -> None:
        super().__init__(f"the key {key!r:.80} is there twice, and only one would count")
        self.key = key
        self.line = line


def parse_unique_json(text: str) -> object:
    """Parse the text; raises `RepeatedKey`, or what `json.loads` raises."""
    try:
        parsed: object = json.loads(text, object_pairs_hook=_build_object)
    except RepeatedKey as error:
        raise RepeatedKey(error.key, _find_line(text, error.key)) from None
    return parsed


def _build_object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    built = dict(pairs)
    if len(built) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise RepeatedKey(counts.most_common(1)[0][0])
    return built


def _find_line(text: str, key: str) -> int:
    """Return the line where a key of this name is last written, 1 if it is escaped there."""
    written = re.escape(json.dumps(key, ensure_ascii=False))
    found = [*re.finditer(rf"{written}\s*:", text)]
    return text.count("\n", 0, found[-1].start()) + 1 if found else 1
