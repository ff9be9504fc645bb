"""What the words of one command make of it: which of them a rule has to name.

The words that start another program, write a file, or may do so. The table of programs says which
are harmless; all others are unclear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mini_agent.coding.permissions.places import Places
from mini_agent.coding.permissions.programs import Program, find_program
from mini_agent.coding.permissions.scripts import is_safe_awk, is_safe_sed
from mini_agent.tools.shell_line import Word

Words: TypeAlias = tuple[str, ...]
# No rule can name it: it stands for what is wrong with the whole call.
UNNAMED: Final = "\0"
SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish"})
# They evaluate substitutions in the subscript of a variable's name.
SUBSCRIPT_BUILTINS: Final = frozenset(
    {"test", "[", "[[", "printf", "read", "unset", "let", "declare", "typeset", "export", "local"}
    | {"readonly", "mapfile", "readarray", "wait", "getopts"}
)
# In programs without an entry: long options with such a word start, load or open something.
HINTS: Final = frozenset(
    {"exec", "execute", "command", "cmd", "shell", "eval", "pager", "editor", "plugin", "plugins"}
    | {"hook", "hooks", "script", "program", "rsh", "config", "require", "loader", "import"}
    | {"preload", "rcfile", "wrapper", "filter", "helper", "browser", "proxy", "pipe", "define"}
    | {"output", "out", "outfile", "outdir", "write", "fix", "inplace", "place", "dir", "options"}
)
# A word of an option, in `--out-dir` as well as in `--outDir`.
OPTION_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# In programs without an entry: most often the file that is written.
OUTPUT: Final = re.compile(r"-[A-Za-z]?o$|-o(?!f)|-O")
OTHER_O: Final = frozenset(
    {"ls", "ps", "pgrep", "lsblk", "lscpu", "findmnt", "lsof", "ss", "netstat", "stat", "join"}
    | {"column", "nm", "objdump", "readelf", "strings", "od", "set", "test", "[", "id", "df", "du"}
)
INFORMING: Final = frozenset({"--version", "--help", "-v", "-V", "-h", "-version"})
OLD_TAR: Final = re.compile(r"[A-Za-z]+")
DIGITS: Final = re.compile(r"-\d+")
NUMBER: Final = re.compile(r"-\d+[A-Za-z]?")
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
# They change how programs write, not which are started.
HARMLESS_VARIABLES: Final = re.compile(
    r"(?:LANG|LC_[A-Z]+|TZ|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CI|RUST_BACKTRACE|PYTHONUNBUFFERED"
    r"|PYTHONDONTWRITEBYTECODE|NODE_ENV|GIT_TERMINAL_PROMPT)=[\w.,:@+-]*"
)


def strip_folder(words: Words) -> Words:
    """Return the command with its name only, without the folder of its program."""
    return (words[0].rpartition("/")[2], *words[1:])


@dataclass(slots=True)
class Call:
    """A command as its program's manual reads it.

    `unclear` are the words that a rule has to name; `inner` is the command that it starts. Without
    `places`, files are not looked at.
    """

    words: tuple[Word, ...]
    places: Places | None = None
    unclear: set[str] = field(default_factory=set)
    inner: tuple[Word, ...] = ()
    program: Program | None = None
    _operands: list[Word] = field(default_factory=list)
    _options: set[str] = field(default_factory=set)
    _is_after_dashes: bool = False
    _has_script: bool = False
    _scripts: list[str] = field(default_factory=list)
    _read_as: tuple[Word, ...] = ()
    _index: int = 1

    def read(self) -> Call:
        """Read all words; return the call itself."""
        name = self.words[0].text.rpartition("/")[2]
        self.program = find_program(name)
        if name == "git" and self.places and self.places.has_foreign_repository:
            self.unclear.add(UNNAMED)
        if self.program is None:
            self._read_unknown(name, self.words[1:])
        else:
            self._read_words(self.program)
        return self

    def _read_unknown(self, name: str, words: tuple[Word, ...]) -> None:
        for word in words:
            hints = _hints_at_more(word.text) or (name not in OTHER_O and OUTPUT.match(word.text))
            subscript = name in SUBSCRIPT_BUILTINS and re.search(r"\$\(|`", word.text)
            sets = name == "printf" and word.text.startswith("-v")
            if hints or subscript or sets or word.text.rpartition("/")[2] in SHELLS:
                self.unclear.add(word.text)

    def _read_words(self, program: Program) -> None:
        level: Program | None = program
        self._read_as = self.words
        if program.style == "tar":
            self._reorder_tar()
        while level is not None and self._index < len(self._read_as):
            word = self._take()
            if word.may_split and not self._is_known_glob(level, word):
                self.unclear.add(word.text)
            elif self._is_after_dashes or not self._is_option(word):
                level = self._read_operand(level, word)
            elif word.text == "--" and level.style != "words":
                self._is_after_dashes = True
                level = None if level.rest_after_dashes else level
            else:
                self._read_option(level, word)
        self._finish(program if level is None else level)

    def _is_known_glob(self, level: Program, word: Word) -> bool:
        """Return whether the files it stands for cannot be taken for options that do more."""
        return word.is_glob and (level.is_harmless or word.text[0] not in "*?[-")

    def _take(self) -> Word:
        self._index += 1
        return self._read_as[self._index - 1]

    def _is_option(self, word: Word) -> bool:
        starts = word.text[:1] == "-" and word.text != "-"
        return starts or (word.expands and word.text[:1] in ("$", "`"))

    def _reorder_tar(self) -> None:
        """Give the letters of the old style, `tar tfv x`, the order of the new one."""
        if len(self.words) > 1 and OLD_TAR.fullmatch(self.words[1].text):
            letters = self.words[1].text
            ordered = f"-{letters.replace('f', '')}{'f' if 'f' in letters else ''}"
            self._read_as = (self.words[0], Word(ordered, ordered), *self.words[2:])
            if any(f"-{letter}" not in find_program_letters() for letter in letters):
                self.unclear.add(letters)
                self._index = 2

    def _read_option(self, level: Program, word: Word) -> None:
        self._check(level, word)
        if level.style == "words" or word.text.startswith("--"):
            self._read_long(level, word)
        else:
            self._read_letters(level, word)

    def _read_long(self, level: Program, word: Word) -> None:
        name, sign, value = word.text.partition("=")
        is_number = level.style == "words" and NUMBER.fullmatch(word.text)
        if name not in level.arities and not (is_number and "-#" in level.arities):
            self.unclear.add(word.text)
        elif sign:
            self._read_value(level, name, Word(value, value))
        else:
            self._read_value(level, name, None)

    def _read_letters(self, level: Program, word: Word) -> None:
        digits = DIGITS.match(word.text) if "-#" in level.arities else None
        begin = digits.end() if digits else 1
        for at, letter in enumerate(word.text[begin:], begin + 1):
            arity = level.arities.get(f"-{letter}")
            if arity is None:
                self.unclear.add(word.text)
                return
            glued = Word(word.text[at:], word.text[at:]) if word.text[at:] else None
            self._options.add(f"-{letter}")
            if arity:
                self._read_value(level, f"-{letter}", glued)
                return

    def _read_value(self, level: Program, option: str, glued: Word | None) -> None:
        self._options.add(option)
        if option in level.needs_name:
            self.unclear.add(option)
        value = glued
        if value is None and level.arities.get(option) == "=" and self._index < len(self._read_as):
            following = self._read_as[self._index]
            # A value that looks like an option is read as one too, as some programs do.
            if following.may_split or (following.text[:1] == "-" and following.text != "-"):
                return
            value = self._take()
        if value is None:
            return
        self._check(level, value)
        if level.is_remote and option == "--repo":
            self._check_repository(value)
        if option in level.script_options:
            self._has_script = True
            self._check_script(level, value)

    def _read_operand(self, level: Program, word: Word) -> Program | None:
        """Judge it; return what the next words are to be read by, None if by another program."""
        if word.expands and level.operands != "any":
            self.unclear.add(word.text)
        if level.commands:
            return self._read_subcommand(level, word)
        if level.operands == "command":
            return self._read_inner(level, word)
        self._operands.append(word)
        self._check(level, word)
        count = len(self._operands)
        is_first_script = level.operands == "script" and count == 1 and not self._has_script
        if is_first_script:
            self._check_script(level, word)
        is_program = level.operands == "program" and count == 1
        is_extra = level.max_operands is not None and count > level.max_operands
        if level.operands == "none" or is_program or is_extra:
            self.unclear.add(word.text)
        self._check_files(level, word)
        return None if level.operands == "program" and count >= level.rest else level

    def _read_subcommand(self, level: Program, word: Word) -> Program | None:
        command = None if word.expands else level.find_command(word.text)
        if command is None or command.is_named:
            self.unclear.add(word.text)
        if command is None:
            self._read_unknown(word.text, self._read_as[self._index :])
        return command

    def _read_inner(self, level: Program, word: Word) -> Program | None:
        if ASSIGNMENT.match(word.text):
            if not HARMLESS_VARIABLES.fullmatch(word.text):
                self.unclear.add(word.text)
            return level
        if len(self._operands) < level.skip:
            self._operands.append(word)
            return level
        added = (Word("$@", "$@"),) if level.adds_words else ()
        self.inner = (*self.words[self._index - 1 :], *added)
        return None

    def _check_files(self, level: Program, word: Word) -> None:
        if self.places is None:
            return
        here = "writes-first" if len(self._operands) == 1 else "writes-second"
        is_written = level.operands in ("writes", here)
        path = Word(word.text.partition("::")[0], word.source.partition("::")[0])
        if level.is_remote:
            self._check_repository(word)
        if level.operands == "paths" and self.places.starts_commands(word):
            self.unclear.add(word.text)
        is_outside = level.operands == "inside" and not self.places.holds(path)
        if is_outside or (is_written and not self.places.may_write(word)):
            self.unclear.add(word.text)

    def _check_repository(self, word: Word) -> None:
        if self.places and self.places.names_foreign_repository(word):
            self.unclear.add(word.text)

    def _finish(self, level: Program) -> None:
        if level.operands in ("writes-last", "moves"):
            self._check_copies(level)
        takes_program = level.operands in ("program", "none") and not self._operands
        if takes_program and not self.unclear and not self._options & INFORMING:
            # It reads its program from its input.
            self.unclear.add(UNNAMED)
        if level.requires and not self.unclear and not self._options & {*level.requires}:
            self.unclear.add(self._operands[0].text if self._operands else UNNAMED)

    def _check_copies(self, level: Program) -> None:
        if self.places is None or len(self._operands) < 2:
            return
        *sources, target = self._operands
        if not all(self.places.may_copy(source, target) for source in sources):
            self.unclear.add(target.text)
        if level.operands == "moves":
            moved = (word for word in sources if self.places and not self.places.may_write(word))
            self.unclear.update(word.text for word in moved)

    def _check(self, level: Program, word: Word) -> None:
        if level.unclear and re.search(level.unclear, word.text):
            self.unclear.add(word.text)

    def _check_script(self, level: Program, word: Word) -> None:
        # The pieces are one program: what follows `print` may stand in the next one.
        self._scripts.append(word.text)
        whole = "\n".join(self._scripts)
        if level.script == "awk":
            is_safe = len(self._scripts) == 1 and is_safe_awk(whole)
        else:
            is_safe = is_safe_sed(word.text) and is_safe_sed(whole)
        if word.expands or not is_safe:
            self.unclear.add(word.text)


def _hints_at_more(text: str) -> bool:
    written = text.partition("=")[0]
    words = {word.lower() for word in OPTION_WORD.findall(written)}
    return written.startswith("--") and bool((words | {*written[2:].split("-")}) & HINTS)


def find_program_letters() -> frozenset[str]:
    """Return the letters of tar that are known."""
    program = find_program("tar")
    return frozenset(program.arities) if program else frozenset()
