"""The model's tokens: bytes, short runs of one character, and fixed pieces of text."""

import re
import string
from typing import Final, NamedTuple


class Snippet(NamedTuple):
    """The text around the payload, in the code of a call and in the answer."""

    before: str
    after: str
    answer: str

    def code(self, payload: str) -> str:
        """Return the program that the model writes for this payload."""
        return self.before + payload + self.after


SNIPPETS: Final = {
    "encode": Snippet(
        "from itertools import groupby\n\ntext = '",
        "'\nprint(''.join(f'{char}{len(list(run))}' for char, run in groupby(text)))",
        "The compressed form is ",
    ),
    "reverse": Snippet("word = '", "'\nprint(word[::-1])", "The reversed text is "),
    "count": Snippet("text = '", "'\nprint(len(text))", "The number of characters is "),
    "compute": Snippet("print(", ")", "The result is "),
}
REFUSAL: Final = (
    "I am only the demo model of mini-agent.",
    " I can run-length encode, reverse or count a string,",
    " and add, subtract or multiply two numbers.",
)
NO_OUTPUT_ANSWER: Final = "The program printed nothing."

USER: Final = "<|user|>"
ASSISTANT: Final = "<|assistant|>"
TOOL: Final = "<|tool|>"
END: Final = "<|end|>"
PADDING: Final = "<|padding|>"
CONTROL: Final = (PADDING, USER, ASSISTANT, TOOL, END)

CALL_MARK: Final = "<tool_call>"
CALL_HEAD: Final = '\n{"name": "exec_python", "arguments": {"code": "'
CALL_TAIL: Final = '"}}\n</tool_call>'

# Text the model reads: each has a token so that a tool message is short and its start is plain.
READ_ONLY: Final = (
    "[exec_python rc=0]\n",
    "stdout:\n",
    "stderr:\n",
    "Traceback (most recent call last):\n",
    '  File "main.py", line ',
    ", in <module>\n",
)


def _json_text(text: str) -> str:
    return text.replace("\n", "\\n")


def _fixed_texts() -> list[str]:
    texts = [CALL_MARK, CALL_HEAD]
    for snippet in SNIPPETS.values():
        texts += [_json_text(snippet.before), _json_text(snippet.after) + CALL_TAIL, snippet.answer]
    return [*texts, *REFUSAL, NO_OUTPUT_ANSWER, *READ_ONLY]


def _byte_name(byte: int) -> str:
    """Return the printable name that GPT-2 vocabularies give to a byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    if byte in printable:
        return chr(byte)
    return chr(256 + sum(other not in printable for other in range(byte)))


# A run is one token: copying must not depend on counting equal characters.
LONGEST_RUN: Final = 8
_RUN_CHARACTERS: Final = string.ascii_letters + string.digits
RUNS: Final = tuple(c * size for c in _RUN_CHARACTERS for size in range(2, LONGEST_RUN + 1))

FIXED: Final = tuple(_fixed_texts())
SINGLES: Final = (*(_byte_name(byte) for byte in range(256)), *FIXED, *CONTROL)
TOKENS: Final = (*SINGLES, *RUNS)
TOKEN_IDS: Final = {text: 256 + index for index, text in enumerate((*FIXED, *CONTROL, *RUNS))}
_LONGEST_FIRST = sorted((*FIXED, *CONTROL), key=len, reverse=True)
_FIXED_TEXT = re.compile("(" + "|".join(map(re.escape, _LONGEST_FIRST)) + ")")
_RUN_OR_ONE = re.compile(rf"([{_RUN_CHARACTERS}])\1{{1,{LONGEST_RUN - 1}}}|.", re.DOTALL)


def tokenize(text: str) -> list[int]:
    """Return the token ids of a text, as llama.cpp splits it: fixed texts first, then runs."""
    ids: list[int] = []
    for part in _FIXED_TEXT.split(text):
        if part in TOKEN_IDS:
            ids.append(TOKEN_IDS[part])
            continue
        for match in _RUN_OR_ONE.finditer(part):
            token = TOKEN_IDS.get(match[0])
            ids.extend(match[0].encode() if token is None else (token,))
    return ids


def call_text(task: str, payload: str) -> str:
    """Return the tool call as the model writes it."""
    snippet = SNIPPETS[task]
    code = _json_text(snippet.before) + payload + _json_text(snippet.after)
    return CALL_MARK + CALL_HEAD + code + CALL_TAIL
