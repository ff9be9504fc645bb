"""The name of a tool as models spell it, and the kind of tool its words speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from mini_agent_protocol.languages import Language

CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SEPARATORS: Final = re.compile(r"[^A-Za-z0-9]+")
SERVED_AS: Final = re.compile(r"\A(?:functions?|tools?|default_api)(?:[.:/]|::)(?=\w)")
NAME_ENDS: Final = re.compile(r"<\||[({\[\n]|:\d+\s*$")


def words_in(text: str) -> frozenset[str]:
    """The words of `text`, in which a table is easier to read than as a list of strings."""
    return frozenset(text.split())


NAMESPACES: Final = words_in(
    "function functions tool tools default api mcp server namespace local my the a "
    "plugin plugins assistant sandbox builtin user custom agent mini"
)
RUNNING: Final = words_in(
    "exec execute execution executor eval evaluate run runner running do start launch call use "
    "invoke tool tools function code coding script scripts program programs snippet interpreter "
    "interpret repl sandbox environment env kernel cell block line prompt in with notebook "
    "source stateful safe local file compile session a the os system container computer ast "
    "compute calculator"
)
MEANS_CODE: Final = words_in("code program interpreter repl snippet script notebook")
_LANGUAGE_WORDS: Final[tuple[tuple[Language, str], ...]] = (
    ("python", "python python2 python3 py py3 ipython jupyter pyexec"),
    ("bash", "shell bash sh zsh terminal cmd command commands console subprocess"),
    ("node", "node nodejs javascript js"),
    ("go", "go golang"),
    ("rust", "rust rs rustc cargo"),
)
LANGUAGE_WORDS: Final = MappingProxyType[str, Language](
    {word: language for language, words in _LANGUAGE_WORDS for word in words.split()}
)
# The fork's models called a Python program by its entry point.
ENTRY_POINTS: Final = frozenset({"__main__", "main"})


def bare_name(written: str) -> str:
    """`written` without what models leave around a name: quotes, brackets, tokens, a namespace."""
    ends = NAME_ENDS.search(written, 1)
    name = written[: ends.start() if ends else None].strip(" \t\r\n`\"'*.:;,")
    return SERVED_AS.sub("", name)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, whether joined by case, hyphens, dots or underscores."""
    parts = SEPARATORS.split(CAMEL.sub("_", name.replace("JavaScript", "Javascript")))
    return tuple(part.lower() for part in parts if part)


def own_words(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """`words`, then the same without the namespaces in front of them, one by one."""
    yield words
    while len(words) > 1 and words[0] in NAMESPACES:
        words = words[1:]
        yield words


def language_meant(name: str) -> Language | None:
    """The language of whose programs `name` speaks, and of nothing else; plain code is Python."""
    if name in ENTRY_POINTS:
        return "python"
    words = words_of(name)
    spoken = {LANGUAGE_WORDS[word] for word in words if word in LANGUAGE_WORDS}
    if any(word not in LANGUAGE_WORDS and word not in RUNNING for word in words):
        return None
    if len(spoken) > 1:
        spoken.discard("bash")
    if len(spoken) == 1:
        return spoken.pop()
    return "python" if not spoken and MEANS_CODE & set(words) else None


def says_only_code(name: str) -> bool:
    """Whether `name` is a tool for code, or one to run something, of no language in particular."""
    words = words_of(name)
    return bool(words) and all(word in RUNNING for word in words)


def nearly(name: str, known: Iterable[str]) -> str | None:
    """The one long name of `known` from which `name` is a slip of the pen away."""
    close = [each for each in known if len(each) >= 8 and _is_a_slip(name.lower(), each.lower())]
    return close[0] if len(close) == 1 else None


def _is_a_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[1::-1] == other_rest[:2] and rest[2:] == other_rest[2:])
    )
