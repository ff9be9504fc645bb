"""The table of programs: which of their options a rule with a star covers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

TABLE: Final = Path(__file__).with_name("programs.toml")
VERSION_SUFFIX: Final = re.compile(r"(?<=[A-Za-z+])-?\d+(?:\.\d+)*$")
Operands: TypeAlias = Literal[
    "any",
    "none",
    "inside",
    "script",
    "program",
    "command",
    "writes",
    "writes-first",
    "writes-last",
    "writes-second",
    "moves",
    "paths",
]


class Program(BaseModel):
    """A program or a subcommand. What is not listed has to be named by a rule, word for word."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manual: str = Field(default="", description="The program and version that the options are of.")
    aliases: tuple[str, ...] = Field(default=(), description="Other names with this entry.")
    style: Literal["letters", "words", "tar"] = Field(
        default="letters",
        description="How options are written: letters that combine, or whole words behind one -.",
    )
    options: str = Field(
        default="",
        description=(
            "The options that start and write nothing. `=` behind one: a value follows; `?`: one "
            "may be glued to it; `-#`: a number."
        ),
    )
    named_options: str = Field(
        default="", description="Options that a rule has to name, as in `options`."
    )
    operands: Operands = Field(
        default="any",
        description=(
            "What operands are: `any` data; `none` are covered; files `inside` the project that "
            "are read, or that it `writes` (all, the first, the last, all but the first) or "
            "`moves` to the last; `paths` that are no files that start commands; a `script` to be "
            "checked; a `program` whose own arguments "
            "follow; a `command` with its words."
        ),
    )
    script: Literal["sed", "awk", ""] = Field(default="", description="The script's language.")
    script_options: tuple[str, ...] = Field(
        default=(), description="Options whose value is a script, in the place of an operand."
    )
    skip: int = Field(default=0, description="Operands in front of a `command`.")
    rest: int = Field(default=1, description="Operands after which the words are the program's.")
    max_operands: int | None = Field(
        default=None, description="More operands than that make it write."
    )
    is_harmless: bool = Field(
        default=False, description="No option that a file's name could be does more."
    )
    adds_words: bool = Field(default=False, description="It adds words to its command.")
    is_named: bool = Field(default=False, description="A rule has to name it.")
    is_remote: bool = Field(
        default=False, description="Operands may be repositories, whose hooks are run."
    )
    rest_after_dashes: bool = Field(default=False, description="Words after -- are a script's.")
    requires: tuple[str, ...] = Field(
        default=(), description="Options of which one is needed, as it writes without."
    )
    unclear: str = Field(default="", description="A regular expression of words that may do more.")
    commands: dict[str, Program] = Field(default={}, description="Its subcommands.")

    @cached_property
    def arities(self) -> dict[str, str]:
        """Return the known options, each with `=`, `?` or nothing."""
        return dict(_parse_options(f"{self.options} {self.named_options}"))

    @cached_property
    def needs_name(self) -> frozenset[str]:
        """Return the known options that a rule has to name."""
        return frozenset(name for name, _ in _parse_options(self.named_options))

    def find_command(self, name: str) -> Program | None:
        """Return the subcommand of this name."""
        return _find(self.commands, name)


@lru_cache(maxsize=1)
def load_programs() -> dict[str, Program]:
    """Read the table, once."""
    written = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, Program]).validate_python(written)


@lru_cache(maxsize=512)
def find_program(name: str) -> Program | None:
    """Return the entry of a program, by its name without folder; of `python3.12` that of python."""
    programs = load_programs()
    return _find(programs, name) or _find(programs, VERSION_SUFFIX.sub("", name))


def _find(programs: dict[str, Program], name: str) -> Program | None:
    if name in programs:
        return programs[name]
    return next((each for each in programs.values() if name in each.aliases), None)


def _parse_options(written: str) -> Iterator[tuple[str, str]]:
    for word in written.split():
        name = word.rstrip("=?")
        yield name, word[len(name) :]
