"""Habits of notebooks, loaded only for a program that has one.

By then the runner's modules are hidden from the program, so these are loaded by their paths.
"""

import builtins
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

from sandbox_runner.python.values import ValueWriter

FOLDER = os.path.dirname(__file__)
PACKAGES = ("IPython", "IPython.display", "IPython.core", "IPython.core.display")
NOT_IN_TEXT = "image/"

RunSource = Callable[[str, str, dict[str, object]], object]
Display = Callable[..., None]


def load(name: str) -> ModuleType:
    """A module of this folder, new."""
    loader = SourceFileLoader(f"notebook_{name}", f"{FOLDER}/{name}.py")
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    loader.exec_module(module)
    return module


def to_python(
    source: str, name: str, namespace: dict[str, object], run: RunSource, writer: ValueWriter
) -> str | None:
    """The program as Python, which calls `get_ipython()`; None where it has no such habit."""
    text: str | None = load("transform").transform(source, name)
    if text is not None:
        notebook = load("magics").Notebook(namespace, run, writer.write_rich)
        vars(builtins)["get_ipython"] = lambda: notebook
    return text


def make_display(writer: ValueWriter) -> Display:
    """The `display` of notebooks; what has no picture is printed as well."""

    def display(*values: object, **_: object) -> None:
        """Shows values as a notebook does."""
        for value in values:
            shown = writer.display(value)
            if not any(media_type.startswith(NOT_IN_TEXT) for media_type in shown):
                print(str(value) if hasattr(value, "_repr_mimebundle_") else repr(value))

    return display


class IPythonFinder:
    """Finds the part of IPython that is here, where no other finder has found the whole."""

    def __init__(self, display: Display) -> None:
        self._display = display

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> object:
        """The spec of one of its modules."""
        return ModuleSpec(name, self, is_package=True) if name in PACKAGES else None  # type: ignore[arg-type]

    def create_module(self, _spec: object) -> None:
        """The usual one."""

    def exec_module(self, module: ModuleType) -> None:
        """Fills it."""
        names = vars(load("ipython"))
        vars(module).update((name, it) for name, it in names.items() if name[0] != "_")
        vars(module)["display"] = self._display


def install(writer: ValueWriter) -> None:
    """Makes `display` and IPython.display known to the program."""
    display = make_display(writer)
    vars(builtins)["display"] = display
    sys.meta_path.append(IPythonFinder(display))  # type: ignore[arg-type]
