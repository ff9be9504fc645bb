"""What the README says of the assistant's size is so, to a tenth."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODING = ROOT / "mini_agent/coding"
PARTS: dict[str, tuple[str, ...]] = {
    "two loops": ("inner_loop.py", "assistant.py", "held.py", "tool_gate.py"),
    "the library's,": tuple(
        f"../{name}.py" for name in ("loop", "story", "asking", "turn", "invocation")
    ),
    "behaviour server": ("behaviour/*.py",),
    "hooks and memory": ("hooks/*.py", "memory/*.py"),
    "tools": ("tools/*.py",),
    "permissions": ("permissions/*.py", "approval.py", "rights.py"),
    "sessions": ("transcript/*.py",),
    "subagents": ("agents/*.py",),
    "terminal": ("terminal/*.py",),
    "headless": ("headless/*.py",),
    "together": ("**/*.py",),
}


def lines(patterns: Iterable[str]) -> int:
    paths = chain.from_iterable(
        [CODING / pattern] if pattern.startswith("..") else CODING.glob(pattern)
        for pattern in patterns
    )
    return sum(len(path.read_text().splitlines()) for path in paths)


@pytest.mark.parametrize("part", PARTS)
def test_the_size_that_the_readme_tells(part: str) -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    found = re.search(rf"Its size in lines.*?{re.escape(part)} (\d+)", text)
    assert found
    assert lines(PARTS[part]) == pytest.approx(int(found[1]), rel=0.1)
