"""A program as it was meant, out of a text that was wrapped or escaped once too often."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable
from typing import Final, NamedTuple

from mini_agent.tool_parsing.programs_ import LITERAL, does_something, is_python
from mini_agent.tool_parsing.quoted import unescaped
from mini_agent_protocol.languages import Language

FENCED: Final = re.compile(
    r"\A\s*(?:```|~~~)[ \t]*([\w+#.-]*)[ \t]*\n(.*?)\n?[ \t]*(?:```|~~~)\s*\Z", re.DOTALL
)
BLOCK: Final = re.compile(
    r"^[ \t]*(?:```|~~~)[\w+#.-]*[ \t]*\n(.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.DOTALL | re.MULTILINE
)
CODE_ELEMENT: Final = re.compile(r"\A\s*<(code|pre|python|script)>(.*)</\1>\s*\Z", re.DOTALL)
INLINE: Final = re.compile(r"\A\s*`+([^`]+)`+\s*\Z")
LABEL: Final = re.compile(r"\A\s*(?:python3?|py|bash|sh|shell|javascript|js|go|rust)[ \t]*\n")
PROMPTED: Final = re.compile(r"^(?:>>>|\.\.\.) ?(.*)$", re.MULTILINE)
NOTEBOOK_PROMPT: Final = re.compile(r"^In ?\[\d*\]: ?", re.MULTILINE)
NOTEBOOK_LINE: Final = re.compile(r"^[ \t]*(?:%|!)[^\n]*\n?", re.MULTILINE)
OLD_PRINT: Final = re.compile(r"^([ \t]*)print[ \t]+(?!\()([^\n]+?);?[ \t]*$", re.MULTILINE)
TRAILER: Final = re.compile(r"(?:\s|```|~~~|</?[A-Za-z_][\w:.-]*>|<\|[^<>|]{1,40}\|>|[\"'`])+\Z")
PROSE_LINE: Final = r"[ \t]*[A-Z][^\n=(){}\[\]#]*[.:!]"
PROSE: Final = re.compile(rf"\A(?:{PROSE_LINE}[ \t]*\n+)+|(?:\n+{PROSE_LINE}[ \t]*)+\s*\Z")
# What mends a program reads it many times: longer ones are taken as they are written.
LONGEST_MENDED: Final = 20_000
# A trailer ends within this many characters, so that looking for its start stays cheap.
LONGEST_TRAILER: Final = 400
TYPOGRAPHIC: Final = str.maketrans(
    "\u201c\u201d\u2018\u2019\u00a0\u2212\u00d7\u00f7\uff08\uff09\uff0c\uff1a",
    "\"\"'' -*/(),:",
    "\u200b\ufeff",
)
NEXT_COMMAND: Final = re.compile(r"\\n\s*(?:echo|cd|ls|for|if|python3?|pip|cat|mkdir|export)\b")
ENTITY: Final = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27);")


class Program(NamedTuple):
    """The program, and what was done to it, a sentence each."""

    text: str
    repairs: tuple[str, ...] = ()


Remedy = tuple[str, Callable[[str], str]]


def meant_program(written: str, language: Language) -> Program:
    """What `written` plainly means as a program of `language`; itself where nothing is wrong."""
    text, repairs = written, []
    for said, remedy in UNWRAPPING:
        unwrapped = remedy(text)
        is_needed = remedy in ALWAYS or language != "python" or not does_something(text)
        if unwrapped != text and is_needed:
            text = unwrapped
            repairs.append(said)
    mended = _python(text) if language == "python" else _other(text, language)
    return Program(mended.text, (*repairs, *mended.repairs))


def unfenced(text: str) -> str:
    """What stands in the fence, where the whole of `text` is one."""
    found = FENCED.match(text)
    return found[2] if found else text


def _out_of_blocks(text: str) -> str:
    blocks = BLOCK.findall(text)
    return "\n".join(block.rstrip("\n") for block in blocks) if blocks else text


def _out_of_element(text: str) -> str:
    found = CODE_ELEMENT.match(text)
    return found[2].strip("\n") if found else text


def _without_ticks(text: str) -> str:
    found = INLINE.match(text)
    return found[1] if found else text


def without_label(text: str) -> str:
    """`text` without a first line that is only a language's name."""
    rest = LABEL.sub("", text)
    return rest if rest.strip() else text


def _without_prompts(text: str) -> str:
    lines = PROMPTED.findall(text)
    return "\n".join(lines) if lines else text


def _without_notebook_prompts(text: str) -> str:
    return NOTEBOOK_PROMPT.sub("", text)


def _without_magic(text: str) -> str:
    return NOTEBOOK_LINE.sub("", text)


def _printed(text: str) -> str:
    return OLD_PRINT.sub(r"\1print(\2)", text)


def _without_trailer(text: str) -> str:
    return text[:-LONGEST_TRAILER] + TRAILER.sub("", text[-LONGEST_TRAILER:])


def _without_prose(text: str) -> str:
    return PROSE.sub("", text)


def _typed(text: str) -> str:
    return text.translate(TYPOGRAPHIC)


UNWRAPPING: Final[tuple[Remedy, ...]] = (
    ("the fence around the program was taken off", unfenced),
    ("the program was taken out of the words around it", _out_of_blocks),
    ("the element around the program was taken off", _out_of_element),
    ("the backticks around the program were taken off", _without_ticks),
    ("the language's name in front of the program was taken off", without_label),
    ("the notebook's prompts in the program were taken off", _without_notebook_prompts),
)
# These leave something that is Python too, and means something else.
ALWAYS: Final = (without_label, _without_notebook_prompts)
ESCAPED: Final[Remedy] = ("\\n and other escapes in the program were resolved", unescaped)
REMEDIES: Final[tuple[Remedy, ...]] = (
    ESCAPED,
    ("HTML entities in the program were resolved", html.unescape),
    ("typographic quotes in the program were made plain", _typed),
    ("the program was moved to the left margin", lambda text: textwrap.dedent(text).strip("\n")),
    ("the prompts in front of the program's lines were taken off", _without_prompts),
    ("the notebook's own commands in the program were left out", _without_magic),
    ("print without brackets was written as it is today", _printed),
    ("what followed the program's end was left out", _without_trailer),
    ("the sentences around the program were left out", _without_prose),
)


def _python(code: str) -> Program:
    """`code`, or the first remedy's outcome that is a program where `code` is none."""
    is_well = does_something(code) or (is_python(code) and "\\n" not in code)
    if is_well or len(code) > LONGEST_MENDED:
        return Program(code)
    tried = [Program(remedy(code), (said,)) for said, remedy in REMEDIES]
    resolved = tried[0]
    twice = [
        Program(remedy(resolved.text), (*resolved.repairs, said)) for said, remedy in REMEDIES[1:]
    ]
    better = (each for each in (*tried, *twice) if does_something(each.text))
    return next(better, Program(code))


def _other(code: str, language: Language) -> Program:
    said, resolve = ESCAPED
    bare = LITERAL.sub("", code)
    is_escaped = NEXT_COMMAND.search(bare) if language == "bash" else "\\n" in bare
    if "\n" not in code.strip() and is_escaped:
        return Program(resolve(code), (said,))
    if language == "bash" and ENTITY.search(bare):
        return Program(html.unescape(code), (REMEDIES[1][0],))
    return Program(code)
