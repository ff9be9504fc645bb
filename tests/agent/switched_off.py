"""`python -m tests.agent.switched_off`: each guardrail switched off in a process of its own.

The processes are forks of this one, which has imported what is slow to import and nothing of ours.
On stdout is, as JSON, how pytest ended for each: 1 is a test that failed, as it should.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pydantic
import pytest
import pytest_asyncio

from tests.agent.guardrails import GUARDRAILS, Guardrail

ROOT = Path(__file__).parents[2]
IMPORTED_ONCE = (pydantic, pytest_asyncio)
TESTS_FAILED, NOT_FOUND = 1, 99
AT_A_TIME = 2


class Changed(importlib.machinery.SourceFileLoader):
    """Loads a module with one piece of its source replaced."""

    def __init__(self, guardrail: Guardrail, module: str, path: str) -> None:
        super().__init__(module, path)
        self._guardrail = guardrail

    def get_code(self, fullname: str) -> object:  # type: ignore[override]  # a code object, as there
        source = Path(self.path).read_text(encoding="utf-8")
        changed = source.replace(self._guardrail.on, self._guardrail.off)
        return compile(changed, self.path, "exec")


class ChangedFirst(importlib.abc.MetaPathFinder):
    """Finds the guardrail's module before anybody else does."""

    def __init__(self, guardrail: Guardrail) -> None:
        self._guardrail = guardrail
        self._module = f"mini_agent.{guardrail.file.removesuffix('.py').replace('/', '.')}"

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        place = str(ROOT / "mini_agent" / self._guardrail.file)
        loader = Changed(self._guardrail, fullname, place)
        return importlib.util.spec_from_file_location(fullname, place, loader=loader)


def without(guardrail: Guardrail) -> int:
    """How pytest ends for the guardrail's test; in the fork, where nobody else is harmed."""
    source = (ROOT / "mini_agent" / guardrail.file).read_text(encoding="utf-8")
    if guardrail.on not in source:
        return NOT_FOUND
    sys.meta_path.insert(0, ChangedFirst(guardrail))
    test = f"{ROOT}/tests/agent/{guardrail.test}"
    options = ("-x", "-q", "-p", "no:cacheprovider", "--timeout", "10", "--rootdir", str(ROOT))
    return pytest.main([*options, test])


def main() -> None:
    said = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    ended: dict[str, int] = {}
    running: dict[int, str] = {}
    for guardrail in GUARDRAILS:
        if len(running) == AT_A_TIME:
            _take(running, ended)
        child = os.fork()
        if child == 0:
            os._exit(without(guardrail))
        running[child] = guardrail.name
    while running:
        _take(running, ended)
    said.write(json.dumps(ended))
    said.close()


def _take(running: dict[int, str], ended: dict[str, int]) -> None:
    child, status = os.wait()
    ended[running.pop(child)] = os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
