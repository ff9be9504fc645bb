"""What the words of a line may be once its variables and braces are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Final

from mini_agent.coding.permissions.file_commands import CODE_PROGRAMS
from mini_agent.coding.permissions.shell_options import INFORMING, SHELLS, Words, strip_folder
from mini_agent.coding.permissions.shell_words import (
    ASSIGNMENT,
    BRACES,
    MAX_FORMS,
    SETTING_COMMANDS,
    VARIABLE,
    find_values,
)
from mini_agent.tools.shell_line import ShellLine

# What only a shell can fill in.
OPEN: Final = re.compile(r"\$[\w{@*#?!$(\[-]|`|[<>]\(|\{[^}\s]*\.\.[^}\s]*\}")
# Stands for the words of which there are too many.
TOO_MANY: Final = "$@"
SAYING_COMMANDS: Final = ("echo", "printf")
SHELL_SWITCHES: Final = ("shopt", "set", "enable", "alias")
EVALUATING: Final = ("eval", "source", ".", "trap")
INPUT_FILES: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
SHELL_OPTION: Final = re.compile(r"[-+].*")
ADDITION: Final = re.compile(r"[A-Za-z_]\w*\+=")
MAX_ROUNDS: Final = 3


@dataclass(frozen=True)
class LineValues:
    """The variables of a line and of those nested in it."""

    lines: tuple[ShellLine, ...]
    environment: Mapping[str, str]

    @cached_property
    def values(self) -> dict[str, set[str]]:
        """Return the values that each variable may have."""
        values = {name: {value} for name, value in self.environment.items()}
        for line in self.lines:
            for name, forms in find_values(line).items():
                values.setdefault(name, set()).update(forms)
            for text in (text for command in line.commands for text in command.texts):
                if found := ASSIGNMENT.fullmatch(text):
                    values.setdefault(found["name"], set()).add(found["value"])
        return {name: forms for name, forms in values.items() if name not in self._unknown}

    @cached_property
    def is_unclear(self) -> bool:
        """Return whether the lines do not tell which commands they start."""
        return any(line.problem or self._runs_unknown(line) for line in self.lines)

    @cached_property
    def _unknown(self) -> set[str]:
        """Return the variables that are set to what only a shell can tell."""
        commands = [command.texts for line in self.lines for command in line.commands]
        setting = (words for words in commands if words[0] in SETTING_COMMANDS)
        set_by_command = {word for words in setting for word in words[1:] if word.isidentifier()}
        written = (each for line in self.lines for each in line.assignments)
        added = {each.partition("+=")[0] for each in written if ADDITION.match(each)}
        references = (words for words in commands if {*words[1:2]} & {"-n", "-gn", "-ng"})
        names = (word.partition("=")[0] for words in references for word in words[2:])
        return set_by_command | added | {*names}

    @cached_property
    def _dynamic(self) -> set[str]:
        """Return the texts of the words that a shell changes: quotes are gone from texts."""
        words = [word for line in self.lines for each in line.commands for word in each.words]
        words += [each.target for line in self.lines for each in line.redirections]
        return {word.text for word in words if word.expands or word.has_braces}

    def is_open(self, text: str) -> bool:
        """Return whether a shell alone knows what the word is."""
        return any(form in self._open for form in (text, *self._forms_of(text)))

    def forms(self, text: str) -> tuple[str, ...]:
        """Return what a word may be; it as it is written if nothing is known of it."""
        if text not in self._dynamic:
            return (text,)
        forms = tuple(islice(self._fill(text), MAX_FORMS + 1))
        if len(forms) > MAX_FORMS:
            forms = (*forms, TOO_MANY)
        return tuple({*forms, *(part for form in forms for part in form.split())})

    def expand(self, words: Words) -> Iterator[Words]:
        """Yield the command with each choice of its words, at most `MAX_FORMS` times."""
        if not any(word in self._dynamic for word in words):
            yield words
            return
        yield from islice(product(*map(self.forms, words)), MAX_FORMS)
        # Each form of each word, if there are too many choices.
        yield (words[0], *(form for word in words[1:] for form in self.forms(word)))

    @cached_property
    def _open(self) -> set[str]:
        return {form for text in self._dynamic for form in self.forms(text) if OPEN.search(form)}

    def _forms_of(self, text: str) -> tuple[str, ...]:
        return self.forms(text) if text in self._dynamic else ()

    def _fill(self, text: str) -> Iterator[str]:
        waiting = [(text, 0)]
        while waiting:
            each, count = waiting.pop(0)
            names = [found["name"] for found in VARIABLE.finditer(each)]
            known = next((name for name in names if name in self.values), None)
            if braces := BRACES.search(each):
                begin, end = each[: braces.start()], each[braces.end() :]
                waiting += [(f"{begin}{part}{end}", count) for part in braces[1].split(",")]
            elif known is not None and count < MAX_ROUNDS * 3:
                waiting += [
                    (_put(each, known, value), count + 1) for value in sorted(self.values[known])
                ]
            else:
                yield each
            if len(waiting) > MAX_FORMS:
                yield from (text for text, _ in waiting)
                return

    def _runs_unknown(self, line: ShellLine) -> bool:
        """Return whether a shell is given a program that is not in the text."""
        commands = [strip_folder(command.texts) for command in line.commands]
        if any(words[0] in SHELL_SWITCHES and len(words) > 1 for words in commands):
            return True
        reading = [words for words in commands if _reads_program(words)]
        texts = [each.target.text for each in line.redirections if each.is_text]
        said = [each for each in line.commands if each.texts[0] in SAYING_COMMANDS]
        is_said = any(word.is_static for each in said for word in each.words[1:])
        others = [words for words in commands if words[0] not in (*SAYING_COMMANDS, *SHELLS)]
        evaluated = [words for words in commands if words[0] in EVALUATING]
        is_open = any(OPEN.search(word) for words in evaluated for word in words[1:])
        return is_open or (bool(reading) and (bool(others) or not (is_said or texts)))


def _put(text: str, name: str, value: str) -> str:
    """Return the text with the value in the place of the variable."""
    return re.sub(rf"\$(?:{name}(?!\w)|\{{{name}\}})", value.replace("\\", r"\\"), text)


def _reads_program(words: Words) -> bool:
    """Return whether a shell or an interpreter takes its program from its input."""
    is_shell = words[0] in SHELLS
    if any(word.startswith(INPUT_FILES) for word in words[1:]):
        return is_shell or words[0] in EVALUATING
    if not is_shell and not CODE_PROGRAMS.fullmatch(words[0]):
        return False
    options = words[1:]
    return all(map(SHELL_OPTION.fullmatch, options)) and not {*options} & {"-c", *INFORMING}
