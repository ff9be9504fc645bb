"""Detects a reply without calls that is no answer: a promise, or one that overlooks the result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

APOSTROPHE: Final = "['\u2019]"
MAX_EVASION_CHARS: Final = 600
MAX_OUTPUT_CHARS: Final = 1000
TOOL_VERBS: Final = (
    r"(?:run|execute|use|call|compute|calculate|write|create|invoke|start|perform|solve|work|do|"
    r"proceed|fix|try|check|verify|look|search|begin)\b"
)
# A promise in the last sentence. An offer ("I can run it for you") and a question are none.
PROMISE: Final = re.compile(
    rf"\b(?:I{APOSTROPHE}ll|(?:I|we) (?:will|shall)|"
    rf"(?:I am|I{APOSTROPHE}m|we are) (?:now )?going to|"
    rf"I (?:now )?need to|let me|let{APOSTROPHE}s|let us)\b(?! (?:know|be)\b)"
    rf"[^.!?\n]{{0,60}}?\b{TOOL_VERBS}"
    r"|\b(?:running|executing|calling|computing|calculating)\b[^.!?\n]{0,60}(?:\.\.\.|\u2026|:)\s*\Z"
    r"|\bje vais\b|\bj['\u2019]exécute\b"
    r"|\bich (?:werde|führe|rufe|berechne|nutze)\b"
    r"|\b(?:voy a|vamos a|ejecutaré|usaré|calcularé)\b"
    r"|\b(?:vou|eseguo|eseguirò|userò|calcolo)\b"
    r"|(?:我将|我会|我来|让我|接下来)|(?:実行|計算)します"
    r"|\b(?:запущу|выполню|вычислю|использую|посчитаю)\b",
    re.IGNORECASE,
)
LAST_SENTENCE: Final = re.compile(
    r"[^.!?\n\u3002\uff01\uff1f]*\S[.!?\u3002\uff01\uff1f:\u2026]*\s*\Z"
)
OVERSIGHT: Final = re.compile(
    r"\b(?:wait(?:ing)?|once (?:I|we|you) (?:have|get|see|receive|run))\b"
    r"|\b(?:please|could you|can you)\b[^.!?\n]{0,20}"
    r"\b(?:run|execute|provide|share|tell|paste|give)\b"
    rf"|\b(?:(?:do|did|can) ?n(?:o|{APOSTROPHE})t|cannot|no|not|nothing|never)\b"
    r"[^.!?\n]{0,40}\b(?:output|results?|response|returned|printed|answer)\b"
    r"|\b(?:output|results?|response|tool|call|execution)\b[^.!?\n]{0,40}\b(?:failed|fails|error|"
    r"empty|missing|unavailable|not (?:available|provided|shown|working)|did ?n(?:o|['\u2019])t)\b"
    r"|[\[{]\s*[\w ]{0,30}(?:result|output|answer|value)[\w ]{0,20}[\]}]"
    r"|<(?:insert|your|the|actual) [\w ]{0,40}>",
    re.IGNORECASE,
)
PROMISE_DIRECTIVE: Final = (
    "You said what you will do, but you called no tool. Call it now, or answer the task."
)
OVERSIGHT_DIRECTIVE: Final = (
    "The tool has answered:\n{output}\nAnswer the task from that, in plain words."
)

EvasionKind: TypeAlias = Literal["", "promise", "oversight"]


@dataclass(frozen=True, slots=True)
class Evasion:
    """What a reply is instead of an answer, and the directive that its model gets once."""

    kind: EvasionKind = ""
    directive: str = ""


NO_EVASION: Final = Evasion()


def detect_evasion(text: str, output: str, *, is_beside: bool = False) -> Evasion:
    """Detects whether `text` is no answer; `output` is the latest output of a tool, or empty.

    A text that contains the output is an answer, and so is a long one. `is_beside` says that the
    text was not given as an answer: it was cut off, or is the model's reasoning.
    """
    if not text or len(text) > MAX_EVASION_CHARS or _contains_output(text, output):
        return NO_EVASION
    overlooks = bool(output) and (is_beside or bool(OVERSIGHT.search(text)))
    if overlooks:
        return Evasion("oversight", OVERSIGHT_DIRECTIVE.format(output=output[-MAX_OUTPUT_CHARS:]))
    last = LAST_SENTENCE.search(text)
    if last and "?" not in last[0] and PROMISE.search(last[0]):
        return Evasion("promise", PROMISE_DIRECTIVE)
    return NO_EVASION


def _contains_output(text: str, output: str) -> bool:
    return bool(output) and "".join(output.split()) in "".join(text.split())
