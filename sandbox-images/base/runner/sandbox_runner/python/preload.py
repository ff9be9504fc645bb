"""What an interpreter has imported before the first snippet: each import costs memory, and time."""

import gc
import importlib
import json
import os
import site
import sys

from sandbox_runner.process.cgroup import memory_limit

# An image whose programs are in Python says here which modules each set has.
PRELOAD_FILE = "/opt/mini-agent/preload.json"
# In less memory than this the larger set would leave programs none.
MIN_DATA_BYTES = 128 << 20

# Our own modules at the time, and the one that was imported last.
_before: dict[str, list[str]] = {"names": [], "last": []}


def preload(wanted: str) -> None:
    """Imports the set that is wanted; nothing in an image that has no sets."""
    try:
        with open(PRELOAD_FILE, "rb") as sets:
            modules = json.load(sets)[wanted if memory_limit() >= MIN_DATA_BYTES else "plain"]
    except FileNotFoundError:
        return
    gc.disable()
    site.main()
    for name in modules:
        importlib.import_module(name)
    _before.update(names=[name for name in sys.modules if _is_runner_module(name)], last=[*sys.modules][-1:])
    # What is here now is never looked at again by the collector, nor copied for it after a fork.
    gc.collect()
    gc.freeze()
    gc.enable()


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
    """Leaves none of our modules for a program to see."""
    for name in (*_before["names"], *filter(_is_runner_module, modules_since_preload())):
        sys.modules.pop(name, None)


def unload_shadowed_modules(folder: str) -> None:
    """Lets a program's own files come before modules of the same name, as its interpreter would."""
    for entry in os.listdir(folder):
        name = entry.removesuffix(".py")
        if name in sys.modules and _comes_from_path(name):
            for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[loaded]


def _comes_from_path(name: str) -> bool:
    # Every interpreter has this one before it looks at a program's folder.
    if name == "encodings":
        return False
    spec = sys.modules[name].__spec__
    return spec is not None and spec.origin not in ("built-in", "frozen")


def _is_runner_module(name: str) -> bool:
    return name.partition(".")[0] == "sandbox_runner"


def reseed() -> None:
    """Gives a forked interpreter random numbers of its own; `random` itself sees to its own."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
