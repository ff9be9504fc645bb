"""How each language's program is named, compiled and started."""

from __future__ import annotations

import os
from typing import NamedTuple

WORKSPACE = "/workspace"
OURS = ".mini-agent"
BINARY = f"{WORKSPACE}/{OURS}/main"


class Recipe(NamedTuple):
    """The program's file name in the workspace, its start command, its compiler's if any."""

    file: str
    start: tuple[str, ...]
    compile: tuple[str, ...] = ()


_NODE = (
    "node",
    "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    "-r",
    "/opt/mini-agent/require.cjs",
)
_RUSTC = (
    *("rustc", "--edition=2021", "-Clink-arg=-fuse-ld=mold"),
    *("-Copt-level=1", "-Coverflow-checks=on", "-o", BINARY, "main.rs"),
)

RECIPES = {
    "python": Recipe("main.py", start=("python3", "main.py")),
    "node": Recipe("main.js", start=(*_NODE, "main.js")),
    "go": Recipe("main.go", start=(BINARY,), compile=("go", "build", "-o", BINARY)),
    "rust": Recipe("main.rs", start=(BINARY,), compile=_RUSTC),
    "bash": Recipe("main.sh", start=("bash", "main.sh")),
}


def compile_command(recipe: Recipe) -> tuple[str, ...]:
    """The compiler's command for what lies in the workspace; empty for a language without one."""
    if recipe.file != "main.go":
        return recipe.compile
    names = sorted(os.listdir(WORKSPACE))
    if "go.mod" in names:
        return (*recipe.compile, ".")
    sources = (name for name in names if name.endswith(".go") and not name.endswith("_test.go"))
    return (*recipe.compile, *sources)


def forks_the_runner(order_env: dict[str, str], recipe: Recipe) -> bool:
    """Whether the snippet runs in a fork of the runner's own interpreter, which is much faster.

    PYTHON* variables are read when an interpreter starts, so they need one that starts anew.
    """
    return recipe.file == "main.py" and not any(name.startswith("PYTHON") for name in order_env)
