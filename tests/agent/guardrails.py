"""The guardrails: where each stands, how it is switched off, and which test misses it then.

`guardrails.jsonl` beside this file is the table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple

TABLE: Final = Path(__file__).with_suffix(".jsonl")


class Guardrail(NamedTuple):
    """`on`, a piece of `file`, becomes `off`; then `test` has to fail."""

    name: str
    file: str
    on: str
    off: str
    test: str


GUARDRAILS: Final = tuple(
    Guardrail(**json.loads(line)) for line in TABLE.read_text(encoding="utf-8").splitlines()
)
