"""Where no pages are named there is nothing to run, which is said, and is no skipped test."""

from __future__ import annotations

import pytest

from tests.seeds.snippets import NOTHING, named_folder

collect_ignore = [] if named_folder() else ["test_as_printed.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says so at the end, where it is read."""
    if collect_ignore:
        terminalreporter.write_line(NOTHING)
