"""Measures: `python -m bench`; `make bench` hands on N, RUNS, PLOT and PEERS."""

from __future__ import annotations

import sys

import uvloop

from bench.docs import publish
from bench.measured import Measured
from bench.options import KEPT, Options
from bench.report import line, tables
from bench.run import measure


def main() -> None:
    """Prints tables, and the line of JSON last."""
    options = Options()
    measured = uvloop.run(measure(options))
    _keep(measured)
    if options.plot:
        publish(measured)
    sys.stdout.write(f"{tables(measured)}\n{line(measured)}\n")


def _keep(measured: Measured) -> None:
    KEPT.mkdir(exist_ok=True)
    (KEPT / "last.json").write_text(measured.model_dump_json(indent=1))


if __name__ == "__main__":
    main()
