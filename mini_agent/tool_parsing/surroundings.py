"""The words around a call in a text: whether it is made, or only spoken of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mini_agent.tool_parsing.intent import is_unwanted

TICK: Final = "['\u2019]?"
EXAMPLE: Final = re.compile(
    r"\b(?:an? examples?|such as|looks? like|(?:it|this|that|one|which|call|model) would|"
    r"would (?:be|look|have)|(?:call|tool|json|calling|general|expected) (?:format|syntax|schema|"
    r"convention)|format(?:ted)? (?:is|like|as)|models? (?:write|emit|output)s?|"
    r"called (?:like|with|as)|was called|(?:earlier|previously),? I|I (?:already )?(?:ran|called)|"
    r"is written(?: as)?|(?:docs|documentation|manual|log|file) (?:says?|shows?|has|contains?))\b"
    r"[^.!?\n]{0,120}$",
    re.IGNORECASE,
)
SHOWN: Final = re.compile(
    r"(?:\A|\n)\W*(?:(?:expected|sample|example|the|program) )?(?:output|result|stdout)s?"
    r"(?: (?:is|would be|will be|should be|looks like|was))?\W*$",
    re.IGNORECASE,
)
LETTERS: Final = re.compile(r"[^\W\d_]")
DOING: Final = "(?:run|execute|check|verify|try|test|compute|fix)"
ANNOUNCED: Final = re.compile(
    rf"(?:\b(?:let me|let{TICK}s|I{TICK}(?: wi)?ll) (?:now )?{DOING}|"
    r"\b(?:run|execute|try|running|executing)\b[^.\n]{0,60}|"
    r"\b(?:corrected|fixed|updated|next) (?:code|program|script|version|step))[^\n]{0,80}\s*\Z",
    re.IGNORECASE,
)
TAG: Final = re.compile(r"<[^<>]{1,60}>")
QUOTES: Final = ("`", "'", '"')
MUCH: Final = 8
BEFORE: Final = 200


def is_much(text: str) -> bool:
    """Whether `text` says something, more than a word or a closing bracket."""
    return len(LETTERS.findall(TAG.sub("", text[:BEFORE]))) >= MUCH


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands `before` and `after` a call; where the reply `is_cut`, more would follow."""

    before: str
    after: str
    is_cut: bool = False

    @property
    def is_spoken_of(self) -> bool:
        """Whether the words before the call say that it must not be made, or is an example.

        Models also announce as an example what they mean, but they do not go on after it then.
        """
        return self.is_aside or (self._goes_on and bool(EXAMPLE.search(self._lead)))

    @property
    def is_aside(self) -> bool:
        """The same for a block of code, which is followed by words even when it is meant."""
        return is_unwanted(self.before[-BEFORE:], self.after, goes_on=self._goes_on)

    @property
    def is_in_quotes(self) -> bool:
        """Whether it stands in quotes and the text goes on, or in a line that quotes somebody."""
        if self._line.lstrip().startswith(("> ", "| ")):
            return True
        in_ticks = self._line.endswith(QUOTES) and self.after.startswith(QUOTES)
        return in_ticks and (self.is_cut or is_much(self._rest_of_line))

    @property
    def is_in_a_sentence(self) -> bool:
        """Whether a sentence goes on around it."""
        goes_on = is_much(self._rest_of_line) or (self.is_cut and "\n" not in self.after)
        return goes_on and is_much(self._line)

    @property
    def is_output(self) -> bool:
        """Whether the words before it announce what a program prints, not a program."""
        return bool(SHOWN.search(self.before[-60:]))

    @property
    def announces(self) -> bool:
        """Whether the words before it say that it is now to be run."""
        return bool(ANNOUNCED.search(self.before[-BEFORE:]))

    @property
    def _goes_on(self) -> bool:
        return self.is_cut or is_much(self.after)

    @property
    def _lead(self) -> str:
        return self.before[-BEFORE:].rstrip(" \t\n`*_\"':")

    @property
    def _line(self) -> str:
        return self.before.rsplit("\n", 1)[-1]

    @property
    def _rest_of_line(self) -> str:
        return self.after.split("\n", 1)[0]
