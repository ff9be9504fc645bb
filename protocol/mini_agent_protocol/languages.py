"""The languages a snippet can be written in: one table, which every other list derives from.

A new language is an entry of `REGISTRY` and the folder of `sandbox-images/` that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from mini_agent_protocol.errors import BadRequest

# Where a compiler puts the program, and the script of an image that runs it.
BINARY: Final = "/workspace/.mini-agent/main"
COMPILE: Final = ("/opt/mini-agent/compile", BINARY)


@dataclass(frozen=True, slots=True)
class LanguageSpec:
    """One language.

    `image` is its folder of `sandbox-images/`, `program` the name of the program's file in the
    workspace, `start` the command that runs it there, `compile` the compiler's command, if any: a
    compiled language has larger default limits. `warm` is how many sandboxes are kept ready,
    `preloads` the same for each larger set of modules that the image can import ahead. `forks` says
    that a fork of the runner's own interpreter may run it. `commands` are what the image adds to a
    shell, `tool` is the model's tool that runs it, `title` its name in prose.
    """

    name: str
    title: str
    image: str
    program: str
    start: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    compile: tuple[str, ...] = ()
    warm: int = 1
    preloads: tuple[tuple[str, int], ...] = ()
    forks: bool = False
    tool: str = ""

    @property
    def tool_name(self) -> str:
        """The name of the model's tool."""
        return self.tool or f"exec_{self.name}"


REGISTRY: Final[tuple[LanguageSpec, ...]] = (
    LanguageSpec(
        name="python",
        title="Python",
        image="python",
        program="main.py",
        start=("python3", "main.py"),
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
        start=(
            "node",
            "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
            "-r",
            "/opt/mini-agent/require.cjs",
            "main.js",
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
        start=("bash", "main.sh"),
        aliases=("shell", "sh"),
        commands=("bash", "sh"),
        tool="exec_shell",
    ),
)

if TYPE_CHECKING:
    Language = str
else:
    # What pydantic checks and OpenAPI shows: an enumeration of the names.
    Language = Literal[tuple(spec.name for spec in REGISTRY)]

SPECS: Final = MappingProxyType[Language, LanguageSpec]({spec.name: spec for spec in REGISTRY})
LANGUAGES: Final[tuple[Language, ...]] = tuple(SPECS)
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
