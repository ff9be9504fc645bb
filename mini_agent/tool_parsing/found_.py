"""A call found in text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from mini_agent.model import CallForm
from mini_agent.tools.offered import OfferedTool

Tools = Mapping[str, OfferedTool]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tool by the name the model gave it, with what it gave it.

    `arguments` may be a text, which is JSON or what the tool is to take as it is. With
    `is_explicit` it is a call whoever the tool is; else it is one only if there is such a tool.
    """

    name: str
    arguments: JsonValue
    is_whole: bool = True
    is_explicit: bool = False

    @property
    def written(self) -> str:
        """The arguments as the text that a native call would carry."""
        if self.arguments is None:
            return "{}"
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at `start` to `end` of a text; `said` tells in words in which form.

    `is_marked` tells that its model's own markers for a call stood around it. `final` is an answer
    that the model gave as if it were a call. With neither calls nor an answer it is a stretch that
    only is to be passed over.
    """

    start: int
    end: int
    calls: tuple[Wanted, ...] = ()
    said: str = ""
    form: CallForm = "text"
    final: str | None = None
    is_marked: bool = False
