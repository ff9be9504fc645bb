"""Results are reported as measured, and what was not measured is marked as such."""

from __future__ import annotations

import json
from pathlib import Path

from bench.machine import Machine
from bench.plot import draw
from bench.report import line, tables
from bench.result import BenchResult, IdleMemory, RowTimes
from bench.samples import Samples
from bench.targets import TARGETS

KEYS = [
    "python_fresh_p50_x",
    "python_fresh_p99_x",
    "python_spawn_p50_x",
    "docker_run_vs_fresh_x",
    "pandas_fresh_p50_x",
    "node_fresh_p50_x",
    "go_fresh_p50_ms",
    "go_vs_bare_x",
    "rust_fresh_p50_ms",
    "rust_vs_bare_x",
    "session_p50_x",
    "session_per_s",
    "cold_vs_docker_run_x",
    "runsc_p50_x",
    "sustained_share",
    "burst_per_s",
    "plain_mib",
    "data_mib",
    "sidecar_idle_mib",
    "sidecar_growth_mib",
]
HERE = Machine(
    cpu="a processor",
    cores=2,
    memory_gib=8,
    kernel="6.1",
    engine="28",
    runtimes=("runc",),
    storage="overlay2",
    cgroups="2",
    host_python="Python 3.11",
    host_node="",
    load=0.1,
)


def timed(*taken: float) -> RowTimes:
    return RowTimes(label="a row", taken=taken)


def measured(**more: object) -> BenchResult:
    rows = {"host_python": timed(10, 20, 30), "python": timed(5, 6, 90), "docker_run": timed(300)}
    return BenchResult(machine=HERE, n=3, rows=rows).model_copy(update=more)


def test_the_line_has_every_key_and_null_where_nothing_was_measured() -> None:
    figures = json.loads(line(measured()))
    assert list(figures) == KEYS
    assert (figures["python_fresh_p50_x"], figures["python_fresh_p99_x"]) == (0.3, 4.5)
    assert figures["docker_run_vs_fresh_x"] == 50
    assert {key for key, value in figures.items() if value is not None} == {
        "python_fresh_p50_x",
        "python_fresh_p99_x",
        "docker_run_vs_fresh_x",
    }


def test_rates_shares_and_memory_are_told() -> None:
    figures = json.loads(
        line(
            measured(
                sustained_per_s=6.0,
                bare_per_s=8.0,
                burst_per_s=300.0,
                idle={"python": IdleMemory(number=4, cgroup=5.5, shim=4.5)},
                sidecar_before_mib=60.0,
                sidecar_after_mib=70.0,
            )
        )
    )
    assert (figures["sustained_share"], figures["burst_per_s"], figures["plain_mib"]) == (
        0.75,
        300,
        10,
    )
    assert (figures["sidecar_idle_mib"], figures["sidecar_growth_mib"]) == (60, 10)


def test_the_table_says_what_is_met_what_is_not_and_why_there_is_no_value() -> None:
    shown = tables(measured(reasons={"runsc_p50_x": "no such runtime"}))
    rows = {line.split("|")[1].strip(): line for line in shown.splitlines() if "|" in line}
    assert rows["python, fresh, fork"].endswith("| yes |")
    assert rows["the same, p99"].endswith("|  NO |")
    assert "no such runtime" in rows["gVisor, warm python"]


def test_a_target_is_met_on_its_good_side_and_on_its_edge() -> None:
    by_key = {target.key: target for target in TARGETS}
    most, least = by_key["python_fresh_p50_x"], by_key["burst_per_s"]
    assert [most.is_met(value) for value in (0.4, 0.5, 0.6)] == [True, True, False]
    assert [least.is_met(value) for value in (199, 200, 201)] == [False, True, True]


def test_a_percentile_is_a_sample_that_was_taken() -> None:
    row = Samples("", [float(n) for n in range(100, 0, -1)])
    assert (row.p50, row.p95, row.p99) == (50, 95, 99)
    assert Samples("", [3.0, 1.0]).p99 == 3


def test_a_plot_is_a_picture(tmp_path: Path) -> None:
    draw(measured(), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
