"""The words of a command once its line's variables, loops and braces have been filled in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from mini_agent.tools.shell_line import ShellLine, SimpleCommand, Word

Values: TypeAlias = Mapping[str, tuple[str, ...]]
VARIABLE: Final = re.compile(r"\$(?P<braced>\{)?(?P<name>[A-Za-z_]\w*)(?(braced)\})")
ASSIGNMENT: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)
# A shell makes one word of it, quoted or not.
PLAIN_VALUE: Final = re.compile(r"[\w.,:/@%^+=-]+")
QUOTING: Final = re.compile(r"[\\'\"$`]")
BRACES: Final = re.compile(r"(?<!\$)\{([^{}\s]*,[^{}\s]*)\}")
# They set variables in ways that are not followed.
SETTING_COMMANDS: Final = frozenset(
    {"read", "mapfile", "readarray", "export", "declare", "typeset", "local", "readonly", "set"}
    | {"printf", "getopts", "unset", "let", "((", "eval", "source", ".", "select"}
)
MAX_FORMS: Final = 64


def find_values(line: ShellLine) -> dict[str, tuple[str, ...]]:
    """Return the values that each variable may have which the line itself sets."""
    values: dict[str, tuple[str, ...]] = {}
    for written in line.assignments:
        if found := ASSIGNMENT.fullmatch(written):
            values[found["name"]] = (*values.get(found["name"], ()), found["value"])
    for loop in line.loops:
        forms = tuple(form.text for word in loop.words for form in expand_braces(word)) or ("$@",)
        values[loop.name] = (*values.get(loop.name, ()), *forms)
    return values


def known_values(line: ShellLine) -> Values:
    """Return those of `find_values` that are sure, and one plain word each."""
    if any(command.texts[0] in SETTING_COMMANDS for command in line.commands):
        return {}
    return {
        name: forms
        for name, forms in find_values(line).items()
        if all(map(PLAIN_VALUE.fullmatch, forms)) and len(forms) <= MAX_FORMS
    }


def expand_command(command: SimpleCommand, values: Values) -> Iterator[tuple[Word, ...]]:
    """Yield the words of the command for each choice of values; at most `MAX_FORMS` times."""
    words = [form for word in command.words for form in expand_braces(word)]
    used = {name for word in words for name in _find_names(word) if name in values}
    names = sorted(used)
    choices = list(itertools.islice(itertools.product(*(values[n] for n in names)), MAX_FORMS + 1))
    if len(choices) > MAX_FORMS:
        yield tuple(words)
        return
    for choice in choices:
        chosen = dict(zip(names, choice, strict=True))
        yield tuple(_fill(word, chosen) for word in words)


def expand_braces(word: Word) -> Sequence[Word]:
    """Return the words that a shell makes of `{a,b}`; the word itself if that is not clear."""
    if "{" not in word.source or QUOTING.search(word.source):
        return (word,)
    done: list[str] = []
    waiting = [word.source]
    while waiting and len(done) + len(waiting) <= MAX_FORMS:
        text = waiting.pop(0)
        if found := BRACES.search(text):
            parts = found[1].split(",")
            waiting += [text[: found.start()] + part + text[found.end() :] for part in parts]
        elif text:
            done.append(text)
    return (word,) if waiting else tuple(Word(text, text) for text in done)


def _find_names(word: Word) -> set[str]:
    return {found["name"] for found in VARIABLE.finditer(word.text)} if word.expands else set()


def _fill(word: Word, values: Mapping[str, str]) -> Word:
    if not word.expands or "'" in word.source or "\\" in word.source:
        return word

    def value(found: re.Match[str]) -> str:
        return values.get(found["name"], found[0])

    return Word(VARIABLE.sub(value, word.text), VARIABLE.sub(value, word.source))
