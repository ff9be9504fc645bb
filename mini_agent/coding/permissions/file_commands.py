"""Which words of a command are files that it reads or changes, by the command's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise, takewhile
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
# They change the last of their arguments, if there are several.
SECOND_WRITING: Final = frozenset({"uniq", "xxd", "split"})
MAKING_COMMANDS: Final = frozenset({"mkdir", "mkfifo", "mknod", "script"})
# With one of these options, or without one, they change the files they are given.
FORMATTERS: Final = {
    **dict.fromkeys(("black", "isort", "rustfmt", "ruff", "dos2unix"), re.compile(".*")),
    **dict.fromkeys(("gofmt", "goimports", "prettier"), re.compile(r"-w|--write")),
    **dict.fromkeys(("clang-format", "yq", "autopep8", "yapf"), re.compile(r"-i.*|--in-?place")),
    **dict.fromkeys(("awk", "gawk"), re.compile("inplace")),
}
PACKING_COMMANDS: Final = frozenset(
    {"gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "lzma", "unlzma", "zstd", "unzstd"}
)
# They write one of their arguments, which their names do not tell.
ALSO_WRITING: Final = frozenset(
    {"git", "tar", "bsdtar", "zip", "7z", "curl", "wget", "openssl", "gpg", "csplit", "sqlite3"}
    | {"socat", "cpio", "pax", "busybox", "http", "ar", "link", "rename", "docker", "podman"}
    | {"kubectl", "ffmpeg", "convert", "magick", "mktemp", "split", "ld", "sphinx-build"}
)
# Of these the value of an option may be a file that is read.
OPENING_COMMANDS: Final = frozenset(
    {"make", "gmake", "npm", "yarn", "pnpm", "bun", "cargo", "go", "file", "git"}
)
GIT_WRITING: Final = frozenset({"bundle", "clone", "init", "worktree", "config", "read-tree"})
CHECKS_ONLY: Final = ("--check", "--diff")
GIT_CHANGING: Final = frozenset({"checkout", "restore", "rm", "mv", "clean", "checkout-index"})
# Their code may open any file.
CODE_PROGRAMS: Final = re.compile(
    r"(?:python|pypy|perl|ruby|node|nodejs|deno|bun|php|lua|luajit|tclsh|Rscript|osascript)[\d.]*"
)
SCRIPT_PROGRAMS: Final = frozenset({"sed", "awk", "gawk", "mawk", "nawk"})
QUERY_PROGRAMS: Final = frozenset({"sqlite3", "psql", "mysql", "mariadb", "duckdb"})
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
TARGET_OPTION: Final = re.compile(r"-[A-Za-z]*t(?P<glued>.*)|--t[a-z-]*(?:=(?P<long>.*))?")
OUTPUT_OPTION: Final = re.compile(
    r"-out|-[A-Za-z]*?[oOP](?P<glued>.*)|-f(?:print0?|printf|ls)"
    r"|--(?:out|directory-p)[a-z-]*(?:=(?P<long>.*))?"
)
# In these -o and -O are something else.
OTHER_O: Final = frozenset(
    {"grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ps", "ls", "ssh", "set", "find", "test", "["}
)
SED_IN_PLACE: Final = re.compile(r"-[A-Za-df-km-z]*i.*|--in-?p?.*")
PERL_IN_PLACE: Final = re.compile(r"-[A-Za-df-z]*i.*")
# They unpack what only an archive or a patch tells, or put it back.
EXTRACTING: Final = re.compile(r"-?[A-Za-z]*x[A-Za-z]*|--extract|--get")
LISTING: Final = frozenset({"-l", "-t", "-p", "-Z", "-v"})
GIT_UNPACKING: Final = frozenset({"apply", "am", "stash", "clean"})
LIST_OPTION: Final = re.compile(r"--files0?-from.*|-T.*")
# What the rest of a path below these is, the kernel tells.
KERNEL_PATHS: Final = re.compile(r"/proc/[^/]+/(?:cwd|root|fd|task)\b.*|/dev/fd/.*\..*")
NAMED_FILE: Final = re.compile(r"-[fF]|--(?:file|makefile|userconfig|env-file|config)")
# A query that opens files.
LOADING: Final = re.compile(r"\b(?:load\w*|import|include)\b")
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
    if name in OPENING_COMMANDS:
        # The value of an option such as -f, -F, -C or --file.
        rest = [word for option, word in pairwise(words) if NAMED_FILE.fullmatch(option)]
    elif name in READING_COMMANDS | NAMING_COMMANDS:
        return ()
    return tuple(word for word in rest if "." in word or "/" in word)


def find_written_words(words: Words) -> Words:
    """Return the arguments that may be files the command changes."""
    name, *rest = words
    if name not in ALSO_WRITING or (name == "git" and not GIT_WRITING & {*rest}):
        return ()
    return tuple(word for word in rest if "." in word or "/" in word)


def _unpacked_names(words: Words) -> Iterator[str]:
    """Yield the names without the suffix of a packed file."""
    if words[0] in PACKING_COMMANDS:
        yield from (word.rpartition(".")[0] for word in words[1:] if "." in word)


def find_changed_words(words: Words) -> Words:
    """Return the arguments that are files the command changes."""
    name, *rest = words
    changed = [*_output_words(words), *_code_words(words), *_unpacked_names(words)]
    if (option := FORMATTERS.get(name)) and any(map(option.fullmatch, rest)):
        changed += () if {*CHECKS_ONLY} & {*rest} else rest
    operands = [word for word in rest if not word.startswith("-")]
    if name in MAKING_COMMANDS or (name == "find" and "-delete" in rest):
        changed += operands
    if name in SECOND_WRITING and len(operands) > 1:
        changed += rest[-1:]
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
    if name in ("jq", "yq"):
        return any(LOADING.search(word.text) for word in command[1:])
    if name in SCRIPT_PROGRAMS:
        unclear = Call(command).read().unclear
        return not all(map(SED_IN_PLACE.fullmatch, unclear))
    return False


def is_recursive(words: Words) -> bool:
    """Return whether the command opens all that is in a folder."""
    name, *rest = words
    if name in ARCHIVING_COMMANDS | SEARCHING_COMMANDS | (FORMATTERS.keys() - SCRIPT_PROGRAMS):
        return "--files" not in rest
    if name == "git":
        return bool(GIT_CHANGING & {*rest}) or "--no-index" in rest
    if name == "find":
        return "-delete" in rest or bool(_find_fed(words))
    return name in RECURSIVE_COMMANDS and any(map(RECURSIVE_OPTION.fullmatch, rest))


def starts_in_folder(words: Words) -> bool:
    """Return whether the command searches the folder it is in, as it names no other."""
    name, *rest = words
    operands = [word for word in rest if not word.startswith("-")]
    greps = name in ("grep", "egrep", "fgrep", "zgrep") and is_recursive(words)
    return (name in SEARCHING_COMMANDS or greps) and len(operands) < 2


def find_started_folders(words: Words) -> Words:
    """Return the folders that the command opens without naming them among its files."""
    if words[0] == "find":
        named = tuple(takewhile(lambda word: word[:1] not in ("-", "(", "!"), words[1:]))
        return named or (".",)
    searches = words[0] == "git" and {"grep", "--no-index"} <= {*words}
    return (".",) if searches or starts_in_folder(words) else ()


def selects_files(words: Words) -> bool:
    """Return whether options say which files in a folder are meant."""
    return words[0] == "find" or any(map(SELECTING_OPTION.fullmatch, words[1:]))


def skips_hidden(words: Words) -> bool:
    """Return whether files whose names begin with a dot are left out."""
    return words[0] in SEARCHING_COMMANDS and not any(map(HIDDEN_OPTION.fullmatch, words[1:]))


def feeds_files(words: Words) -> bool:
    """Return whether the command opens files whose names are found elsewhere."""
    started = _find_fed(words)
    if any(map(LIST_OPTION.fullmatch, words[1:])) and words[0] in READING_COMMANDS:
        return words[0] in ARCHIVING_COMMANDS or any("from" in word for word in words[1:])
    if words[0] == "find" and not started & SHELLS:
        # It opens what is in its folders, and nothing else.
        return False
    return bool(started & (READING_COMMANDS | SHELLS)) or _names_code(started)


def feeds_changes(words: Words) -> bool:
    """Return whether the command changes files whose names are found elsewhere."""
    started = _find_fed(words)
    if words[0] == "find" and not started & SHELLS:
        return False
    return _fed_changes(words, started)


def opens_found_files(words: Words) -> bool:
    """Return whether find starts a command with what it finds."""
    return bool(_find_fed(words))


def changes_found_files(words: Words) -> bool:
    """Return whether find changes what it finds."""
    return "-delete" in words or _fed_changes(words, _find_fed(words))


def _fed_changes(words: Words, started: set[str]) -> bool:
    edits = EDITING_COMMANDS | COPYING_COMMANDS | SHELLS
    in_place = "sed" in started and any(map(SED_IN_PLACE.fullmatch, words))
    return bool(started & edits) or in_place or _names_code(started)


def unpacks(words: Words) -> bool:
    """Return whether the files that the command changes are named in a file alone."""
    name, *rest = words
    if name in ("tar", "bsdtar"):
        return any(map(EXTRACTING.fullmatch, [rest[0] if rest else "", *_long_words(rest)]))
    if name in ("unzip", "patch", "cpio"):
        return not LISTING & {*rest}
    return name == "git" and (bool(GIT_UNPACKING & {*rest[:3]}) or {"reset", "--hard"} <= {*rest})


def _long_words(words: list[str]) -> Iterator[str]:
    return (word for word in words if word.startswith("-"))


def _find_fed(words: Words) -> set[str]:
    """Return the names in the command that it hands names of files to."""
    name, *rest = words
    hands_on = name in ("xargs", "parallel") or (
        name in ("find", "fd")
        and any(word.startswith(("-exec", "-ok", "-x", "-X", "--exec")) for word in rest)
    )
    return {word.rpartition("/")[2] for word in rest} if hands_on else set()


def _names_code(names: set[str]) -> bool:
    return any(map(CODE_PROGRAMS.fullmatch, names))


def _code_words(words: Words) -> Words:
    """Return what may be names of files in the programs among the arguments."""
    name, *rest = words
    if not (CODE_PROGRAMS.fullmatch(name) or name in SCRIPT_PROGRAMS | QUERY_PROGRAMS):
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
