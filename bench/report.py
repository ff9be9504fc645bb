"""Formats a result: tables for people, one line of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from bench.result import BenchResult
from bench.targets import TARGETS, samples


def tables(measured: BenchResult) -> str:
    """Markdown that reads well as it is."""
    parts = (
        "\n".join(f"- {line}" for line in (*measured.machine.lines(), _rounds(measured))),
        _table(
            ("way of running a snippet", "n", "p50 ms", "p95", "p99", "x host"), _rows(measured)
        ),
        _table(("target", "value", "wanted", "met"), _targets(measured)),
        "\n".join(f"- {note}" for note in _notes(measured)),
    )
    return "\n\n".join(parts) + "\n"


def _rounds(measured: BenchResult) -> str:
    after = f"after it {measured.load_after:.2f}"
    return f"{after}; {measured.n} rounds with every row in each, in random order"


def line(measured: BenchResult) -> str:
    """The values by their keys; null where there is none."""
    values = {target.key: target.of(measured) for target in TARGETS}
    return json.dumps(
        {key: value if value is None else round(value, 4) for key, value in values.items()}
    )


def _rows(measured: BenchResult) -> Iterator[tuple[str, ...]]:
    host = samples(measured, "host_python")
    for key in measured.rows:
        if (row := samples(measured, key)) is not None:
            shown = (f"{row.p50:.1f}", f"{row.p95:.1f}", f"{row.p99:.1f}")
            to_host = f"{row.p50 / host.p50:.2f}" if host else ""
            yield (row.label, str(len(row.taken)), *shown, to_host)


def _targets(measured: BenchResult) -> Iterator[tuple[str, ...]]:
    for target in TARGETS:
        value = target.of(measured)
        if value is None:
            reason = measured.reasons.get(target.key, "not measured")
            yield (target.label, f"- ({reason})", target.written(), "-")
        else:
            met = "yes" if target.is_met(value) else "NO"
            yield (target.label, f"{value:.3g} {target.unit}", target.written(), met)


def _notes(measured: BenchResult) -> Iterator[str]:
    if measured.sustained_per_s is not None and measured.bare_per_s is not None:
        yield (
            f"sustained: {measured.sustained_per_s:.2f} single-use sandboxes a second; the bare "
            f"engine's create-attach-start-remove: {measured.bare_per_s:.2f}"
        )
    for kind, memory in measured.idle.items():
        yield (
            f"idle {kind}: {memory.cgroup:.1f} MiB cgroup + {memory.shim:.1f} MiB shim (of "
            f"{memory.number})"
        )
    if measured.sidecar_after_mib is not None:
        yield (
            f"sidecar: {measured.sidecar_before_mib:.1f} MiB and {measured.descriptors_before} "
            f"descriptors idle, {measured.sidecar_after_mib:.1f} MiB and "
            f"{measured.descriptors_after} after {measured.runs} runs"
        )


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [tuple(head), *rows]
    widths = [max(len(cells[column]) for cells in lines) for column in range(len(head))]
    written = [_cells(cells, widths) for cells in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([written[0], rule, *written[1:]])


def _cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    # Words to the left, numbers to the right.
    first, *others = [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join([first, *others])} |"
