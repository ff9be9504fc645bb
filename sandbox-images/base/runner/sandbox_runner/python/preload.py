"""Imports before the first snippet: each costs memory in every idle sandbox, and saves time."""

import gc
import importlib
import json
import os
import site
import sys

from sandbox_runner.process.cgroup import memory_limit

# The modules of each set, in an image that runs Python programs.
PRELOAD_FILE = "/opt/mini-agent/preload.json"
# With less memory than this the larger set would leave programs none.
MIN_DATA_BYTES = 128 << 20
RUNNER_PACKAGES = ("sandbox_runner", "mini_agent_protocol")

# The runner's modules at that time, and the module that was imported last.
_before: dict[str, list[str]] = {"names": [], "last": []}


def preload(name: str) -> bool:
    """Imports that set of modules; false, and nothing, in an image that has no sets."""
    try:
        with open(PRELOAD_FILE, "rb") as sets:
            modules = json.load(sets)[name if memory_limit() >= MIN_DATA_BYTES else "plain"]
    except FileNotFoundError:
        return False
    gc.disable()
    site.main()
    for module in modules:
        importlib.import_module(module)
    _before.update(
        names=[name for name in sys.modules if _is_runner_module(name)], last=[*sys.modules][-1:]
    )
    # The collector never visits what is here now, so a fork need not copy it.
    gc.collect()
    gc.freeze()
    gc.enable()
    return True


def has_preloaded() -> bool:
    """Whether there is a set, and so an interpreter that is worth forking for a program."""
    return bool(_before["names"])


def modules_since_preload() -> list[str]:
    """The names of modules that were imported after the set, the latest first.

    INVARIANT: looks at none of the set itself: after a fork each look at one copies its page.
    """
    names: list[str] = []
    for name in reversed(sys.modules):
        if name in _before["last"]:
            break
        names.append(name)
    return names


def hide_runner_modules() -> None:
    """Removes the runner's modules from what a program can import."""
    for name in (*_before["names"], *filter(_is_runner_module, modules_since_preload())):
        sys.modules.pop(name, None)


def unload_shadowed_modules(folder: str) -> None:
    """Makes a program's own files come before loaded modules of the same name."""
    for entry in os.listdir(folder):
        name = entry.removesuffix(".py")
        if name in sys.modules and _comes_from_path(name):
            for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[loaded]


def _comes_from_path(name: str) -> bool:
    # Every interpreter has loaded this one before a program's folder is on the path.
    if name == "encodings":
        return False
    spec = sys.modules[name].__spec__
    return spec is not None and spec.origin not in ("built-in", "frozen")


def _is_runner_module(name: str) -> bool:
    return name.partition(".")[0] in RUNNER_PACKAGES


def reseed() -> None:
    """Gives a forked interpreter random numbers of its own; `random` reseeds itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
