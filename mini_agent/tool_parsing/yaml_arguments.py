"""Arguments written as YAML, a key on each line: `code: |` and the program below it."""

from __future__ import annotations

import re
import textwrap
from typing import Final

from mini_agent.messages import JsonObject

KEY: Final = re.compile(r"([A-Za-z_]\w{0,40}):[ \t]*(.*)")
BLOCK: Final = re.compile(r"[|>][-+]?\s*")


def yaml_arguments(text: str) -> JsonObject:
    """The values by their keys; empty when `text` does not begin with a key."""
    given: JsonObject = {}
    lines = textwrap.dedent(text.strip("\n")).splitlines()
    while lines:
        found = KEY.fullmatch(lines.pop(0))
        if found is None:
            return {}
        below: list[str] = []
        while lines and (not lines[0].strip() or lines[0][0] in " \t"):
            below.append(lines.pop(0))
        said = "" if BLOCK.fullmatch(found[2]) else found[2].strip().strip("\"'")
        given[found[1]] = said or textwrap.dedent("\n".join(below)).strip("\n")
    return given
