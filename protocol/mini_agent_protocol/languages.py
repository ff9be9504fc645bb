"""The languages a snippet can be written in: one table, which every other list derives from.

A new language is an entry of `REGISTRY` and the folder of `sandbox-images/` that it names. An
operator adds one without touching code, in the file that `SANDBOX_LANGUAGES_FILE` names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from mini_agent_protocol.errors import BadRequest

# Where a compiler puts the program, and the script of an image that runs it on a source file.
BINARY: Final = "/tmp/.snippet/main"  # noqa: S108 - the sandbox's own
COMPILER: Final = "/opt/mini-agent/compile"
COMPILE: Final = (COMPILER, BINARY)
# The module that is made of TypeScript.
MODULE: Final = f"{BINARY}.mjs"
NODE: Final = (
    "node",
    "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    "-r",
    "/opt/mini-agent/require.cjs",
)
# Errors go to stderr, once, and the sandbox's own limit of memory holds.
PHP_SETTINGS: Final = ("-ddisplay_errors=stderr", "-dlog_errors=0", "-dmemory_limit=-1")

_BARE_NEWLINE: Final = re.compile(r"(?<!\r)\n")
# A comment in the first line, or in the second after an empty line or a comment (PEP 263).
_ENCODING: Final = re.compile(
    r"\A((?:[ \t\f]*(?:#[^\r\n]*)?\r?\n)?[ \t\f]*#.*?coding[:=][ \t]*)[-_.a-zA-Z0-9]+"
)


@dataclass(frozen=True, slots=True)
class LanguageSpec:
    """One language.

    `image` is its folder of `sandbox-images/`, `program` the name of the program's file, `start`
    the command that runs it, to which an interpreter is given the file's path, `compile` the
    compiler's command, if any, which is given that path: a compiled language has larger default
    limits. `self_reference` finds in a program that it asks for its own place. `unix_newlines` says
    that CRLF does not end a line, `declares_encoding` that a comment may name the encoding of the
    file. `warm` is how many sandboxes are kept ready, `preloads` the same for each larger set of
    modules that the image can import ahead. `forks` says that a fork of the runner's own
    interpreter may run it. `commands` are what the image adds to a shell, `tool` is the model's
    tool that runs it, `title` its name in prose. An `optional` language is offered to a model only
    where somebody names it, and the service works without its image.
    """

    name: str
    title: str
    image: str
    program: str
    start: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    compile: tuple[str, ...] = ()
    self_reference: str = ""
    unix_newlines: bool = False
    declares_encoding: bool = False
    warm: int = 1
    preloads: tuple[tuple[str, int], ...] = ()
    forks: bool = False
    tool: str = ""
    optional: bool = False

    @property
    def tool_name(self) -> str:
        """The name of the model's tool."""
        return self.tool or f"exec_{self.name}"

    def lies_beside(self, code: str) -> bool:
        """Whether the file has to lie in the workspace, beside what it refers to, for a while."""
        return bool(self.compile or re.search(self.self_reference or "(?!)", code))

    def source(self, code: str) -> str:
        """Return the program's text as its language reads it: without a byte order mark."""
        text = code.removeprefix("\ufeff")
        if self.unix_newlines and "\r\n" in text and not _BARE_NEWLINE.search(text):
            return text.replace("\r\n", "\n")
        # The text is written as UTF-8, whatever it was saved as before.
        return _ENCODING.sub(r"\1utf-8", text, count=1) if self.declares_encoding else text


def _read_own_languages() -> Iterator[LanguageSpec]:
    """The operator's languages; none where no file is named."""
    if not (path := os.environ.get("SANDBOX_LANGUAGES_FILE")):
        return
    # Pydantic is needed where there is a file alone.
    from mini_agent_protocol.config.language_file import read_language_file  # noqa: PLC0415

    for name, entry in read_language_file(Path(path)).items():
        yield LanguageSpec(name=name, **entry.model_dump())


def _require_distinct(specs: tuple[LanguageSpec, ...]) -> None:
    names = [name for spec in specs for name in (spec.name, *spec.aliases)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        message = f"two languages have the name {', '.join(twice)}"
        raise BadRequest(message, hint="name those of SANDBOX_LANGUAGES_FILE otherwise")


REGISTRY: Final[tuple[LanguageSpec, ...]] = (
    LanguageSpec(
        name="python",
        title="Python",
        image="python",
        program="main.py",
        start=("python3",),
        declares_encoding=True,
        self_reference=r"__file__|\bargv\b|\bmain\.py\b",
        aliases=("py", "python3"),
        commands=("python", "python3", "pip"),
        warm=4,
        preloads=(("data", 1),),
        forks=True,
    ),
    LanguageSpec(
        name="node",
        title="JavaScript",
        image="node",
        program="main.js",
        start=NODE,
        self_reference=(
            r"""['"`]\.{1,2}/|\b__(?:dir|file)name\b|\bimport\.meta\b|\bargv\b|\bmain\.js\b"""
            r"""|\brequire\.(?:main|resolve)\b|\b(?:import|require)\s*\(\s*[^\s'"`)]"""
        ),
        aliases=("javascript", "js", "nodejs"),
        commands=("node", "npm", "npx"),
        warm=2,
    ),
    LanguageSpec(
        name="go",
        title="Go",
        image="go",
        program="main.go",
        compile=COMPILE,
        start=(BINARY,),
        aliases=("golang",),
        commands=("go", "gofmt"),
    ),
    LanguageSpec(
        name="rust",
        title="Rust",
        image="rust",
        program="main.rs",
        compile=COMPILE,
        start=(BINARY,),
        aliases=("rs", "cargo"),
        commands=("cargo", "rustc"),
    ),
    LanguageSpec(
        name="bash",
        title="Bash",
        image="shell",
        program="main.sh",
        start=("bash",),
        self_reference=r"\$\{?(?:0|BASH_SOURCE)\b|\bmain\.sh\b",
        unix_newlines=True,
        aliases=("shell", "sh"),
        commands=("bash", "sh"),
        tool="exec_shell",
    ),
    LanguageSpec(
        name="typescript",
        title="TypeScript",
        image="node",
        program="main.ts",
        compile=(COMPILER, MODULE),
        start=(*NODE, MODULE),
        aliases=("ts",),
        commands=("esbuild",),
        warm=0,
        optional=True,
    ),
    LanguageSpec(
        name="c",
        title="C",
        image="c",
        program="main.c",
        compile=COMPILE,
        start=(BINARY,),
        commands=("gcc", "cc", "make"),
        warm=0,
        optional=True,
    ),
    LanguageSpec(
        name="cpp",
        title="C++",
        image="c",
        program="main.cpp",
        compile=COMPILE,
        start=(BINARY,),
        aliases=("c++", "cxx"),
        commands=("g++", "c++"),
        warm=0,
        optional=True,
    ),
    LanguageSpec(
        name="php",
        title="PHP",
        image="php",
        program="main.php",
        start=("php", *PHP_SETTINGS),
        self_reference=r"__DIR__|__FILE__|\$argv\b|\b(?:require|include)(?:_once)?\b",
        commands=("php",),
        warm=0,
        optional=True,
    ),
    LanguageSpec(
        name="ruby",
        title="Ruby",
        image="ruby",
        program="main.rb",
        start=("ruby",),
        self_reference=r"__dir__|__FILE__|\$0\b|\brequire_relative\b|\$PROGRAM_NAME\b|\bDATA\b",
        aliases=("rb",),
        commands=("ruby", "irb", "gem"),
        warm=0,
        optional=True,
    ),
    *_read_own_languages(),
)

if TYPE_CHECKING:
    Language = str
else:
    # What pydantic checks and OpenAPI shows: an enumeration of the names.
    Language = Literal[tuple(spec.name for spec in REGISTRY)]

_require_distinct(REGISTRY)

SPECS: Final = MappingProxyType[Language, LanguageSpec]({spec.name: spec for spec in REGISTRY})
LANGUAGES: Final[tuple[Language, ...]] = tuple(SPECS)
# Those that are there without being asked for.
USUAL_LANGUAGES: Final[tuple[Language, ...]] = tuple(
    spec.name for spec in REGISTRY if not spec.optional
)
ALIASES: Final = MappingProxyType[str, Language](
    {alias: spec.name for spec in REGISTRY for alias in spec.aliases}
)


def parse_language(name: str) -> Language:
    """Parse a name or an alias; raises `BadRequest`, which lists the known languages."""
    wanted = name.strip().lower()
    if wanted in SPECS:
        return wanted
    if wanted in ALIASES:
        return ALIASES[wanted]
    known = ", ".join(sorted(LANGUAGES))
    raise BadRequest(f"no image for language {name!r}; known: {known}", field="language")
