"""The model's own turn in its text: without special tokens, and without what others would say."""

from __future__ import annotations

import re
from typing import Final

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
TOKENS: Final = (
    r"<\|im_end\|>|<\|eot_id\|>|<\|eom_id\|>|<\|endoftext\|>|<\|end_of_text\|>|<\|end\|>"
    r"|<end_of_turn>|</s>|<s>|<\|begin_of_text\|>|<\|return\|>|<\uff5cend▁of▁sentence\uff5c>|<\|END_\w+\|>"
    r"|<\|end_of_role\|>|<\|assistant\|>|<\|START_RESPONSE\|>|<start_of_turn>\s*model"
    r"|<\|im_start\|>\s*assistant|<\|start_header_id\|>\s*assistant\s*<\|end_header_id\|>"
)
LEADING: Final = re.compile(
    rf"\A(?:\s|{TOKENS}|>>>all\n|<\|from\|>\s*assistant|<\|recipient\|>\s*all\s*<\|content\|>)+"
)
TRAILING: Final = re.compile(rf"(?:{TOKENS})\s*\Z")


# DeepSeek marks each of its elements as its own: <\uff5cDSML\uff5cinvoke name="...">.
NAMESPACE: Final = re.compile(r"(?<=<)(/?)[\uff5c|]\w{2,12}[\uff5c|](?=\w)")


def own_text(text: str) -> str:
    """`text` without the special tokens at its ends that a server should have taken off."""
    text = LEADING.sub("", NAMESPACE.sub(r"\1", text)).rstrip()
    while trailing := TRAILING.search(text[-80:]):
        text = text[: len(text) - len(text[-80:]) + trailing.start()].rstrip()
    return text
