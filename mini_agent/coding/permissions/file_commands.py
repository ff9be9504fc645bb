"""Which words of a command are files that it reads or changes, by the command's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from mini_agent.coding.permissions.shell_options import SHELLS, Call, Words
from mini_agent.tools.shell_line import Word

# They change every file among their arguments.
EDITING_COMMANDS: Final = frozenset(
    {"mv", "rm", "rmdir", "tee", "touch", "truncate", "dd", "chmod", "chown", "chgrp", "shred"}
    | {"unlink", "patch", "ed", "ex", "vi", "vim", "nvim", "nano", "emacs", "gzip", "gunzip"}
    | {"bzip2", "bunzip2", "xz", "unxz", "zstd", "setfacl", "chattr", "sponge", "unzip"}
)
# They change the last of their arguments.
COPYING_COMMANDS: Final = frozenset({"cp", "ln", "install", "rsync", "scp"})
READING_COMMANDS: Final = (
    EDITING_COMMANDS
    | COPYING_COMMANDS
    | frozenset(
        {"cat", "tac", "head", "tail", "less", "more", "nl", "od", "xxd", "hexdump", "hd", "view"}
        | {"strings", "base64", "base32", "basenc", "grep", "egrep", "fgrep", "zgrep", "rgrep"}
        | {"rg", "ag", "ack", "sed", "awk", "gawk", "mawk", "nawk", "cut", "sort", "uniq", "wc"}
        | {"diff", "sdiff", "vimdiff", "cmp", "comm", "join", "paste", "rev", "fold", "fmt", "pr"}
        | {"tr", "expand", "unexpand", "column", "csplit", "iconv", "jq", "yq", "source", "."}
        | {"mapfile", "readarray", "tar", "bsdtar", "zip", "7z", "cpio", "pax", "zcat", "bzcat"}
        | {"xzcat", "split", "bat", "batcat", "curl", "wget", "http", "openssl", "gpg", "md5sum"}
        | {"sha1sum", "sha256sum", "sha512sum", "cksum", "b2sum", "sum", "envsubst", "xmllint"}
        | {"perl", "ruby", "php", "sqlite3", "nc", "socat", "busybox", "mail", "sendmail"}
    )
)
# What stands behind them is no file, or nothing is read of it.
NAMING_COMMANDS: Final = frozenset(
    {"echo", "printf", "ls", "stat", "test", "[", "[[", "basename", "dirname", "realpath"}
    | {"readlink", "find", "mkdir", "cd", "pushd", "popd", "which", "type", "export", "make"}
    | {"npm", "yarn", "pnpm", "bun", "cargo", "go", "git", "fd", "tree", "du", "file", "pwd"}
)
GIT_READING: Final = frozenset(
    {"show", "diff", "grep", "blame", "annotate", "log", "cat-file", "archive", "hash-object"}
    | {"whatchanged", "diff-files", "diff-index", "diff-tree", "apply", "bundle", "config"}
)
GIT_CHANGING: Final = frozenset({"checkout", "restore", "rm", "mv", "clean", "checkout-index"})
# Their code may open any file.
CODE_PROGRAMS: Final = re.compile(
    r"(?:python|pypy|perl|ruby|node|nodejs|deno|bun|php|lua|luajit|tclsh|Rscript|osascript)[\d.]*"
)
SCRIPT_PROGRAMS: Final = frozenset({"sed", "awk", "gawk", "mawk", "nawk"})
CODE_OPTION: Final = re.compile(r"-[A-Za-z]*[cepEr].*|--(?:eval|print|execute).*|-")
# They open files with all that is in them.
ARCHIVING_COMMANDS: Final = frozenset(
    {"tar", "bsdtar", "rsync", "scp", "mv", "ln", "7z", "pax", "cpio", "rgrep"}
)
SEARCHING_COMMANDS: Final = frozenset({"rg", "ag", "ack"})
RECURSIVE_OPTION: Final = re.compile(r"-[A-Za-z]*[rRa][A-Za-z]*|--recursive|--dereference-rec.*")
RECURSIVE_COMMANDS: Final = frozenset(
    {"grep", "egrep", "fgrep", "zgrep", "cp", "rm", "zip", "diff", "chmod", "chown", "chgrp"}
    | {"gzip", "xz", "bzip2", "shred"}
)
SELECTING_OPTION: Final = re.compile(r"--(?:ex|in)clude.*|-g.*|--i?glob.*|-t\w.*|--type.*")
HIDDEN_OPTION: Final = re.compile(r"-[A-Za-z]*[.uU]+[A-Za-z.]*|--hidden|--unrestricted")
TARGET_OPTION: Final = re.compile(r"-[A-Za-z]*t(?P<glued>.*)|--target-dir[a-z]*(?:=(?P<long>.*))?")
OUTPUT_OPTION: Final = re.compile(
    r"-[oO](?P<glued>.*)|--out[a-z-]*(?:=(?P<long>.*))?|-f(?:print0?|printf|ls)"
)
# In these -o and -O are something else.
OTHER_O: Final = frozenset(
    {"grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ps", "ls", "ssh", "set", "find", "test", "["}
)
SED_IN_PLACE: Final = re.compile(r"-[A-Za-df-km-z]*i.*|--in-?p?.*")
PERL_IN_PLACE: Final = re.compile(r"-[A-Za-df-z]*i.*")
# The values of options of sed, which its cluster of letters ends with.
CODE_QUOTES: Final = re.compile(r"[\s\"'`<>(),;=]+")


def find_read_words(words: Words) -> Words:
    """Return the arguments that are files the command reads, if they are files at all."""
    name, *rest = words
    if name == "git" and GIT_READING & {*rest}:
        # What is not known is a revision there, or another option, far more often than a file.
        return tuple(word for word in rest if "log" not in rest or "$" not in word)
    if name == "git":
        return ()
    return (*(rest if name in READING_COMMANDS else ()), *_code_words(words))


def find_mentioned_words(words: Words) -> Words:
    """Return the arguments that may be files the command reads."""
    name, *rest = words
    if name in READING_COMMANDS | NAMING_COMMANDS:
        return ()
    return tuple(word for word in rest if "." in word or "/" in word)


def find_changed_words(words: Words) -> Words:
    """Return the arguments that are files the command changes."""
    name, *rest = words
    changed = [*_output_words(words), *_code_words(words)]
    in_place = {"sed": SED_IN_PLACE, "perl": PERL_IN_PLACE, "ruby": PERL_IN_PLACE}.get(name)
    if name in EDITING_COMMANDS or (in_place and any(map(in_place.fullmatch, rest))):
        changed += rest
    elif name in COPYING_COMMANDS:
        changed += _copy_targets(rest)
    elif name == "git" and GIT_CHANGING & {*rest}:
        changed += rest
    return tuple(changed)


def runs_code(command: tuple[Word, ...]) -> bool:
    """Return whether an argument is a program whose files its text does not tell for sure."""
    name = command[0].text.rpartition("/")[2]
    if CODE_PROGRAMS.fullmatch(name):
        return any(CODE_OPTION.fullmatch(word.text) for word in command[1:])
    if name in SCRIPT_PROGRAMS:
        unclear = Call(command).read().unclear
        return not all(map(SED_IN_PLACE.fullmatch, unclear))
    return False


def is_recursive(words: Words) -> bool:
    """Return whether the command opens all that is in a folder."""
    name, *rest = words
    if name in ARCHIVING_COMMANDS | SEARCHING_COMMANDS:
        return "--files" not in rest
    return name in RECURSIVE_COMMANDS and any(map(RECURSIVE_OPTION.fullmatch, rest))


def starts_in_folder(words: Words) -> bool:
    """Return whether the command searches the folder it is in, as it names no other."""
    name, *rest = words
    operands = [word for word in rest if not word.startswith("-")]
    greps = name in ("grep", "egrep", "fgrep", "zgrep") and is_recursive(words)
    return (name in SEARCHING_COMMANDS or greps) and len(operands) < 2


def selects_files(words: Words) -> bool:
    """Return whether options say which files in a folder are meant."""
    return any(map(SELECTING_OPTION.fullmatch, words[1:]))


def skips_hidden(words: Words) -> bool:
    """Return whether files whose names begin with a dot are left out."""
    return words[0] in SEARCHING_COMMANDS and not any(map(HIDDEN_OPTION.fullmatch, words[1:]))


def feeds_files(words: Words) -> bool:
    """Return whether the command hands names that are found elsewhere to one that opens files."""
    name, *rest = words
    hands_on = name in ("xargs", "parallel") or (
        name in ("find", "fd")
        and any(word.startswith(("-exec", "-ok", "-x", "-X")) for word in rest)
    )
    started = {word.rpartition("/")[2] for word in rest}
    return hands_on and bool(started & (READING_COMMANDS | SHELLS) or _names_code(started))


def _names_code(names: set[str]) -> bool:
    return any(map(CODE_PROGRAMS.fullmatch, names))


def _code_words(words: Words) -> Words:
    """Return what may be names of files in the programs among the arguments."""
    name, *rest = words
    if not (CODE_PROGRAMS.fullmatch(name) or name in SCRIPT_PROGRAMS):
        return ()
    return tuple(part for word in rest for part in CODE_QUOTES.split(word) if part != word and part)


def _output_words(words: Words) -> Iterator[str]:
    if words[0] in OTHER_O and "-fprint" not in " ".join(words) and "-fls" not in words:
        return
    for word, following in pairwise((*words[1:], "")):
        if found := OUTPUT_OPTION.fullmatch(word):
            yield found["glued"] or found["long"] or following


def _copy_targets(rest: list[str]) -> Iterator[str]:
    targets = rest[-1:]
    for word, following in pairwise((*rest, "")):
        if found := TARGET_OPTION.fullmatch(word):
            targets.append(found["glued"] or found["long"] or following)
    for target in targets:
        yield target
        yield from (f"{target}/{word.rpartition('/')[2]}" for word in rest if word != target)
