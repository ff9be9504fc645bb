"""Spans of a reply's text and the calls parsed from them; fences and special tokens.

`ParsedCall` has the tool's name and arguments as the model wrote them; `resolve` matches them to a
tool.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from mini_agent.errors import BadRequest
from mini_agent.model import CallForm
from mini_agent.tools.arguments import OfferedTool
from mini_agent_protocol.languages import Language, parse_language

FENCE: Final = r"^[ \t>]{0,12}(?P<fence>`{3,}|~{3,})(?P<info>[^\n`]*)(?P<inline>`{3,})?"
FENCE_LABEL: Final = re.compile(r"\s*\{?\.?([A-Za-z][\w+#-]*)?")
LABEL_ALIASES: Final[dict[str, Language]] = {"zsh": "bash", "ipython": "python", "mjs": "node"}
# A weak model that goes on writes the tool's answer and the user's next message itself.
FOREIGN_TURN: Final = (
    r"<\|im_start\|>\s*(?:user|tool|system|function)\b|<\|(?:user|observation|tool_response)\|>"
    r"|<start_of_turn>\s*user|<\|start_header_id\|>\s*(?:user|ipython|tool)"
    r"|</?(?:tool_response|tool_result|function_results?|tool_results|tool_output|observation)>"
    r"|\[TOOL_RESULTS\]|\[/?INST\]|<[\uff5c|]tool▁outputs?▁begin[\uff5c|]>|<[\uff5c|]User[\uff5c|]>"
    r"|<\|start\|>functions\.|<\|start_of_role\|>\s*(?:user|tool)"
    r"|^[ \t>*#_-]*(?:Observation|User|Human|Tool (?:result|output|response))\**[ \t]*\d*:"
    r"|^\[\w+ (?:rc=-?\d+|error)"
)
SPECIAL_TOKENS: Final = (
    r"<\|im_end\|>|<\|eot_id\|>|<\|eom_id\|>|<\|endoftext\|>|<\|end_of_text\|>|<\|end\|>"
    r"|<end_of_turn>|</s>|<s>|<\|begin_of_text\|>|<\|return\|>|<\uff5cend▁of▁sentence\uff5c>|<\|END_\w+\|>"
    r"|<\|end_of_role\|>|<\|assistant\|>|<\|START_RESPONSE\|>|<start_of_turn>\s*model"
    r"|<\|im_start\|>\s*assistant|<\|start_header_id\|>\s*assistant\s*<\|end_header_id\|>"
)
LEADING_TOKENS: Final = re.compile(
    rf"\A(?:\s|{SPECIAL_TOKENS}|>>>all\n|<\|from\|>\s*assistant|<\|recipient\|>\s*all\s*<\|content\|>)+"
)
TRAILING_TOKENS: Final = re.compile(rf"(?:{SPECIAL_TOKENS})\s*\Z")
# DeepSeek marks each of its elements as its own: <\uff5cDSML\uff5cinvoke name="...">.
DSML_NAMESPACE: Final = re.compile(r"(?<=<)(/?)[\uff5c|]\w{2,12}[\uff5c|](?=\w)")

OfferedTools = Mapping[str, OfferedTool]


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """A call as the model wrote it: the name of a tool and its arguments.

    `arguments` may be a string: JSON, or the text that the tool is to take unchanged. With
    `is_explicit` it is a call even if there is no such tool; else it is one only if there is.
    """

    name: str
    arguments: JsonValue
    is_whole: bool = True
    is_explicit: bool = False

    @property
    def arguments_text(self) -> str:
        """The arguments as a native call would carry them, JSON or plain text."""
        if self.arguments is None:
            return "{}"
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A span from `start` to `end` of a text, with the calls in it; `note` describes their form.

    `is_marked`: the markers of a model family stood around the calls. `final` is an answer that the
    model gave in the form of a call. A span with neither calls nor an answer is only skipped.
    """

    start: int
    end: int
    calls: tuple[ParsedCall, ...] = ()
    note: str = ""
    form: CallForm = "text"
    final: str | None = None
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block. `is_closed` is False where the text ended before the fence did."""

    start: int
    end: int
    label: str
    body: str
    body_start: int
    body_end: int
    is_closed: bool

    @property
    def language(self) -> Language | None:
        """The language that the label names; None if programs of it cannot be run."""
        if self.label in LABEL_ALIASES:
            return LABEL_ALIASES[self.label]
        try:
            return parse_language(self.label)
        except BadRequest:
            return None


def parse_fence(opened: re.Match[str]) -> Fence:
    """Parse the block that a match of `FENCE` opens."""
    text, info = opened.string, opened["info"]
    labelled = FENCE_LABEL.match(info)
    label = (labelled[1] or "").lower() if labelled else ""
    rest = info[labelled.end() :].strip() if labelled else ""
    if opened["inline"]:
        start = opened.end("fence") + (labelled.end() if labelled else 0)
        start, end = (start, opened.start("inline")) if rest else _inline_bounds(opened)
        body = text[start:end].strip()
        return Fence(opened.start(), opened.end(), label, body, start, end, is_closed=True)
    start = opened.start("info") + len(info) + 1
    if rest[:1] in ("{", "[") and not info.lstrip().startswith("{"):
        start = text.index(rest[:1], opened.start("info"))
    if label and info.lstrip().startswith("{") and info.rstrip()[-1:] != "}":
        label, start = "", text.index("{", opened.start("info"))
    closing = re.compile(rf"^[ \t>]{{0,12}}{opened['fence'][0]}{{3,}}[ \t]*$", re.MULTILINE).search(
        text, start
    )
    closing = closing or re.compile(rf"{opened['fence']}[ \t]*$", re.MULTILINE).search(text, start)
    end = closing.start() if closing else len(text)
    body = text[start:end].removesuffix("\n")
    stop = closing.end() if closing else len(text)
    return Fence(opened.start(), stop, label, body, start, end, is_closed=bool(closing))


def _inline_bounds(opened: re.Match[str]) -> tuple[int, int]:
    return opened.end("fence"), opened.start("inline")


def strip_special_tokens(text: str) -> str:
    """Remove the special tokens at both ends of `text` that the server left there."""
    text = LEADING_TOKENS.sub("", DSML_NAMESPACE.sub(r"\1", text)).rstrip()
    while trailing := TRAILING_TOKENS.search(text[-80:]):
        text = text[: len(text) - len(text[-80:]) + trailing.start()].rstrip()
    return text
