"""How each language's program is named, compiled and started."""

import re

from sandbox_runner.order import Order
from sandbox_runner.record import Record

WORKSPACE = "/workspace"
OURS = ".mini-agent"
BINARY = f"{WORKSPACE}/{OURS}/main"


class Recipe(Record):
    """The program's file name in the workspace, its start command, its compiler's if any.

    A compiler is a script in the image, which knows what its toolchain is best at.
    """

    file: str
    start: tuple[str, ...]
    compile: tuple[str, ...] = ()


_NODE = (
    "node",
    "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    "-r",
    "/opt/mini-agent/require.cjs",
)
COMPILER = "/opt/mini-agent/compile"
GO_TEST = "main_test.go"

RECIPES = {
    "python": Recipe("main.py", start=("python3", "main.py")),
    "node": Recipe("main.js", start=(*_NODE, "main.js")),
    "go": Recipe("main.go", start=(BINARY,), compile=(COMPILER, BINARY)),
    "rust": Recipe("main.rs", start=(BINARY,), compile=(COMPILER, BINARY)),
    "bash": Recipe("main.sh", start=("bash", "main.sh")),
}


def file_of(order: Order) -> str:
    """The name of the program's file; Go wants tests in a file that is named so."""
    if order.language == "go" and '"testing"' in order.code and not _is_go_program(order.code):
        return GO_TEST
    return RECIPES[order.language].file


def _is_go_program(code: str) -> bool:
    wanted = (r"^\s*package main\b", r"^\s*func main\(\)")
    return all(re.search(line, code, re.MULTILINE) for line in wanted)


def forks_the_runner(order: Order, recipe: Recipe) -> bool:
    """Whether the snippet runs in a fork of the runner's own interpreter, which is much faster.

    PYTHON* variables are read when an interpreter starts, so they need one that starts anew.
    """
    wants_its_own = order.isolation == "spawn" or any(n.startswith("PYTHON") for n in order.env)
    return recipe.file == "main.py" and not wants_its_own
