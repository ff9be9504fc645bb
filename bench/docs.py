"""Publishes a run's tables and plot on the performance page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from bench.options import OUTPUT_DIR, ROOT
from bench.plot import draw
from bench.report import tables
from bench.result import BenchResult

PAGE: Final = ROOT / "docs" / "performance.md"
PLOT: Final = ROOT / "docs" / "performance.png"
BEGIN: Final = "<!-- what make bench PLOT=1 measured -->"
END: Final = "<!-- end -->"


def publish(measured: BenchResult) -> None:
    """Rewrite the page and the plot."""
    draw(measured, PLOT)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_tables(page, tables(measured)), encoding="utf-8")


def with_tables(page: str, tables: str) -> str:
    """The page with new tables between its two markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT_DIR / "last.json"
    publish(BenchResult.model_validate_json(chosen.read_bytes()))
