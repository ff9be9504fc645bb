"""Measures: `python -m bench`; `make bench` hands on N, RUNS, PLOT and PEERS."""

from __future__ import annotations

import sys

import uvloop

from bench.docs import publish
from bench.options import OUTPUT_DIR, Options
from bench.report import line, tables
from bench.result import BenchResult
from bench.run import measure


def main() -> None:
    """Prints tables, and the line of JSON last."""
    options = Options()
    measured = uvloop.run(measure(options))
    _save(measured)
    if options.plot:
        publish(measured)
    sys.stdout.write(f"{tables(measured)}\n{line(measured)}\n")


def _save(measured: BenchResult) -> None:
    OUTPUT_DIR.mkdir(exist_ok=True)
    (OUTPUT_DIR / "last.json").write_text(measured.model_dump_json(indent=1))


if __name__ == "__main__":
    main()
