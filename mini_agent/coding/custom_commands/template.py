"""The template of a slash command: placeholders, command lines and files, parsed once.

What is put in is data: it is not searched for placeholders, command lines or files again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from mini_agent.errors import BadRequest

PLACEHOLDER: Final = re.compile(
    r"(?P<slashes>\\*)\$(?P<what>ARGUMENTS(?:\[\d{1,3}\])?(?!\w)|\d{1,2}(?!\w)(?!\.\d))"
)
CONSTRUCT: Final = re.compile(
    r"(?P<escaped>\\[!@](?=[`\w./~\"]))"
    r"|(?:^```!(?P<block>[^\n]*\n.*?)\n?^```[ \t]*$)"
    r"|(?<!\S)!`(?P<inline>[^`\n]+)`"
    r"|(?<!\S)@(?:\"(?P<quoted>[^\"\n]+)\"|(?P<file>[^\s`\"]+))",
    re.DOTALL | re.MULTILINE,
)
INDEX: Final = re.compile(r"\d+")
TRAILING: Final = ".,;:!?)]}'"
# The first number that need not mean an argument, such as that of a price.
MIN_AMBIGUOUS_NUMBER: Final = 10
SINGLE_QUOTED: Final = re.compile(r"'[^']*'")
DOUBLE_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
# Behind these a shell reads text anew, so that no quoting is sure to hold.
NESTING: Final = re.compile(r"\$\(|\$\{[^}]*$|`|<<|\$'|<\(|>\(|\(\(")
COMMENT: Final = re.compile(r"(?:^|[\s;&|])#")
# Programs that take an argument for a program.
PROGRAM_TAKERS: Final = re.compile(
    r"(?:^|[\s;&|(/])(?:eval|trap|ssh|watch|su|script|[gmn]?awk|sed"
    r"|(?:(?:ba|da|z|k)?sh|python[\d.]*|perl|ruby|node|php|env|xargs)\b[^;&|]*\s-[A-Za-z]*[cerpES]"
    r")(?:\s|$)"
)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the user writes behind a command: the text, and its words as a shell splits them."""

    text: str
    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Arguments:
        """Split at spaces outside of quotes; at all spaces where a quote has no end."""
        try:
            return cls(text, tuple(shlex.split(text)))
        except ValueError:
            return cls(text, tuple(text.split()))


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the prompt, complete."""

    text: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line whose output is put in its place."""

    command: str


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file whose content is added; `written` stays in the prompt."""

    written: str
    path: str


Piece: TypeAlias = Text | CommandLine | FileReference


def fill_template(template: str, arguments: Arguments) -> list[Piece]:
    """Fill in the arguments; without any placeholder they are added at the end.

    Raises `BadRequest` for an argument at a place in a command line that nothing can protect.
    """
    filler = _Filler(arguments, first=0 if re.search(r"(?<!\\)\$0(?!\w)", template) else 1)
    pieces = [*_fill_pieces(template, filler)]
    if arguments.text and not filler.is_used:
        pieces.append(Text(f"\n\n{arguments.text}"))
    return pieces


def _fill_pieces(template: str, filler: _Filler) -> Iterator[Piece]:
    end = 0
    for match in CONSTRUCT.finditer(template):
        yield Text(filler.fill(template[end : match.start()]))
        end = match.end()
        if match["escaped"]:
            yield Text(match["escaped"][1:])
        elif match["quoted"] or match["file"]:
            path = filler.fill(match["quoted"] or match["file"])
            yield FileReference(filler.fill(match[0]), path if match["quoted"] else _trim(path))
        else:
            yield CommandLine(filler.fill_command((match["block"] or match["inline"]).strip()))
    yield Text(filler.fill(template[end:]))


def _trim(path: str) -> str:
    return path.rstrip(TRAILING) or path


@dataclass(slots=True)
class _Filler:
    """Replaces placeholders; `first` is the number of the first argument."""

    arguments: Arguments
    first: int
    is_used: bool = False

    def fill(self, text: str) -> str:
        return PLACEHOLDER.sub(self._replace, text)

    def fill_command(self, command: str) -> str:
        """Replace placeholders by words that a shell takes for text, whatever they hold."""
        pieces, end = [], 0
        for match in PLACEHOLDER.finditer(command):
            before = command[: match.start()]
            if _hides_quotes(PLACEHOLDER.sub("", before)) and not _is_escaped(match):
                raise BadRequest(
                    f"{match[0]} could become a program in !`{command:.80}`: it stands behind a "
                    "substitution, a comment, a here-document or a program such as `sh -c`",
                    hint="put the argument into a command line of its own",
                )
            pieces += [command[end : match.start()], self._replace_in_command(match, before)]
            end = match.end()
        return "".join((*pieces, command[end:]))

    def _replace(self, match: re.Match[str]) -> str:
        kept = match["slashes"][: len(match["slashes"]) // 2]
        value = None if _is_escaped(match) else self._value(match["what"])
        return kept + (f"${match['what']}" if value is None else value)

    def _replace_in_command(self, match: re.Match[str], before: str) -> str:
        if _is_escaped(match):
            return match[0]
        value, quote = self._value(match["what"]), _find_quote(before)
        if value is None:
            return match[0]
        if quote == "'":
            return match["slashes"] + value.replace("'", "'\\''")
        if quote == '"':
            return match["slashes"] + re.sub(r'([\\$`"])', r"\\\1", value)
        whole = shlex.join(self.arguments.words) if match["what"] == "ARGUMENTS" else ""
        return match["slashes"] + (whole or (shlex.quote(value) if value else ""))

    def _value(self, what: str) -> str | None:
        """Return an argument, empty where there are not so many; None for what is none."""
        number = INDEX.search(what)
        words = self.arguments.words
        if number is None:
            self.is_used = True
            return self.arguments.text
        is_short = not what.startswith("ARGUMENTS")
        place = int(number[0]) - (self.first if is_short else 0)
        if is_short and int(number[0]) >= MIN_AMBIGUOUS_NUMBER and place >= len(words):
            return None
        self.is_used = True
        return words[place] if 0 <= place < len(words) else ""


def _hides_quotes(before: str) -> bool:
    """Tell whether what follows this piece of a command line may be read as more than a word."""
    visible = SINGLE_QUOTED.sub("''", before)
    bare = DOUBLE_QUOTED.sub('""', visible)
    return any(
        pattern.search(text)
        for pattern, text in ((NESTING, visible), (COMMENT, bare), (PROGRAM_TAKERS, before))
    )


def _is_escaped(match: re.Match[str]) -> bool:
    return len(match["slashes"]) % 2 == 1


def _find_quote(command: str) -> str:
    """Return the quote that is open at the end of a piece of a command line; empty for none."""
    quote, place = "", 0
    while place < len(command):
        char = command[place]
        if char == "\\" and quote != "'":
            place += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        place += 1
    return quote
