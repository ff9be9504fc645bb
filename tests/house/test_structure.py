"""scripts/structure, on small trees whose faults are known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house.test_files import ROOT

LONG = "A = 1\n" * 100
BROAD = "try:\n    pass\nexcept Exception:\n    pass\n"
FAULTS = {
    "a function and a string": (
        {
            "cli.py": f"def run():\n    from mini_agent.room.a import A\n{LONG}",
            "room/a.py": f'B = __import__("mini_agent.cli")\n{LONG}',
        },
        "import each other: mini_agent.cli, mini_agent.room.a",
    ),
    "an import for types": (
        {
            "a.py": f"from mini_agent import b\n{LONG}",
            "b.py": f"if TYPE_CHECKING:\n    from mini_agent.a import A\n{LONG}",
        },
        "import each other: mini_agent.a, mini_agent.b",
    ),
    "a small file for one other": (
        {"a.py": f"from mini_agent.b import A\n{LONG}", "b.py": "A = 1\n"},
        "one importer: mini_agent.b (1 lines) <- mini_agent.a",
    ),
    "too long a file": ({"a.py": LONG * 5}, "mini_agent.a has 500 lines, over 400"),
    "too many at the root": (
        {f"m{number}.py": LONG for number in range(13)},
        "mini_agent: 13 modules at its root: m0, m1",
    ),
    "a broad except": ({"a.py": BROAD + LONG}, "9.62 broad excepts in 1,000 lines"),
}


def measured(root: Path, files: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    for name, text in {"__init__.py": "", **files}.items():
        path = root / "mini_agent" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "structure", "--check", "--root", root],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("files", "fault"), FAULTS.values(), ids=FAULTS)
def test_it_fails_and_names(tmp_path: Path, files: Mapping[str, str], fault: str) -> None:
    checked = measured(tmp_path, files)
    assert checked.returncode == 1, checked.stderr
    assert fault in checked.stdout


def test_a_small_file_that_only_the_package_itself_names_again_has_no_importer(
    tmp_path: Path,
) -> None:
    checked = measured(tmp_path, {"__init__.py": "from mini_agent.b import A\n", "b.py": "A = 1\n"})
    assert checked.returncode == 0, checked.stdout


def test_no_files_of_ours_import_each_other() -> None:
    printed = subprocess.run(
        [sys.executable, ROOT / "scripts" / "structure"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "import each other" not in printed.stdout
