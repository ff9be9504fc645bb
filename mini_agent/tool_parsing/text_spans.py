"""A call found in text.

The model's own turn in its text: without special tokens, and without what others would say.

Fenced blocks: where they stand, and what language they name.
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
class TextSpan:
    """What stands at `start` to `end` of a text; `said` tells in words in which form.

    `is_marked` tells that its model's own markers for a call stood around it. `final` is an answer
    that the model gave as if it were a call. With neither calls nor an answer it is a stretch that
    only is to be passed over.
    """

    start: int
    end: int
    calls: tuple[ParsedCall, ...] = ()
    said: str = ""
    form: CallForm = "text"
    final: str | None = None
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block. An `is_closed` of False means that the text ended before the fence did."""

    start: int
    end: int
    label: str
    body: str
    body_start: int
    body_end: int
    is_closed: bool

    @property
    def language(self) -> Language | None:
        """The language it names, if programs of it can be run."""
        if self.label in LABEL_ALIASES:
            return LABEL_ALIASES[self.label]
        try:
            return parse_language(self.label)
        except BadRequest:
            return None


def parse_fence(opened: re.Match[str]) -> Fence:
    """The block that a match of `FENCE` opens."""
    text, info = opened.string, opened["info"]
    found = FENCE_LABEL.match(info)
    label = (found[1] or "").lower() if found else ""
    rest = info[found.end() :].strip() if found else ""
    if opened["inline"]:
        start = opened.end("fence") + (found.end() if found else 0)
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
    """`text` without the special tokens at its ends that a server should have taken off."""
    text = LEADING_TOKENS.sub("", DSML_NAMESPACE.sub(r"\1", text)).rstrip()
    while trailing := TRAILING_TOKENS.search(text[-80:]):
        text = text[: len(text) - len(text[-80:]) + trailing.start()].rstrip()
    return text
