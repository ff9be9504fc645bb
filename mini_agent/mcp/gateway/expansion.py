"""`${VAR}` and `${VAR:-default}` in a configuration: an extension of ours, Codex has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NAMED: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
SHORTEST_SECRET: Final = 6
HIDDEN: Final = "***"


class Unset(Exception):
    """A variable that is needed is not set; the sentence names it, never a value."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this process; `taken` are the values that servers get, which stay secret."""

    variables: Mapping[str, str] = field(repr=False)
    taken: set[str] = field(default_factory=set, repr=False)

    def value(self, name: str, where: str) -> str:
        """A variable's value; `Unset` where it is missing or empty."""
        value = self.variables.get(name, "")
        if not value:
            raise Unset(f"{where}: the variable {name} is not set")
        self.taken.add(value)
        return value

    def expanded(self, text: str, where: str) -> str:
        """`text` with its variables replaced; `Unset` where one is missing without a default.

        A bare `$VAR` stays as it is, so that what another shell is to expand still can be.
        """

        def replaced(match: re.Match[str]) -> str:
            name, default = match.groups()
            if default is not None and not self.variables.get(name):
                return str(default)
            return self.value(name, where)

        return NAMED.sub(replaced, text)

    def hiding(self, text: str) -> str:
        """`text` without the values that were taken."""
        for value in sorted(self.taken, key=len, reverse=True):
            if len(value) >= SHORTEST_SECRET:
                text = text.replace(value, HIDDEN)
        return text
