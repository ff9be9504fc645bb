"""What is done to a module of a library right after its import, and costs nothing without it."""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

Action = Callable[[ModuleType], None]


class ImportHooks:
    """A finder that finds the modules it knows as the others do, and acts on them once."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}

    def add(self, name: str, action: Action) -> None:
        """Calls the action with this module: now if it is there, else after its import."""
        if name in sys.modules:
            action(sys.modules[name])
            return
        self._actions[name] = action
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that is acted on; None for all others."""
        action = self._actions.pop(name, None)
        if action is None:
            return None
        if not self._actions:
            sys.meta_path.remove(self)
        spec = _find(self, name, path, target)
        if spec is not None and spec.loader is not None:
            _act_after(spec.loader, action)
        return spec


def _find(
    skipped: ImportHooks, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = None if finder is skipped else finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


def _act_after(loader: object, action: Action) -> None:
    load = loader.exec_module  # type: ignore[attr-defined]

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module  # type: ignore[attr-defined]
        load(module)
        action(module)

    loader.exec_module = exec_module  # type: ignore[attr-defined]


HOOKS = ImportHooks()
