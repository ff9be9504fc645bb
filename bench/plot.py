"""The plot of a run. `python -m bench.plot RUN.json PLOT.png` draws one anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from bench.result import BenchResult
from bench.samples import Samples
from bench.targets import samples

INK: Final = "#1c2024"
GREY: Final = "#6b747e"
OURS: Final = "#1f8a5b"
SESSION: Final = "#2f6fd0"
OTHERS: Final = "#b9c0c8"
BACKGROUND: Final = "#ffffff"


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of the plot."""

    key: str
    label: str
    colour: str


BARS: Final = (
    Bar("host_python", "python3 -c, on the host", OTHERS),
    Bar("stateful", "session, variables kept", SESSION),
    Bar("session", "session", SESSION),
    Bar("python", "fresh sandbox", OURS),
    Bar("bash", "fresh sandbox, bash", OURS),
    Bar("spawn", "fresh sandbox, clean interpreter", OURS),
    Bar("pandas", "fresh sandbox, numpy and pandas", OURS),
    Bar("node", "fresh sandbox, node", OURS),
    Bar("runsc", "fresh sandbox under gVisor", OURS),
    Bar("rust", "fresh sandbox, rust, compiled", OURS),
    Bar("go", "fresh sandbox, go, compiled", OURS),
    Bar("swerex_kept", "SWE-ReX, container kept", OTHERS),
    Bar("smolagents_kept", "smolagents, kernel kept", OTHERS),
    Bar("llm_sandbox_pool", "llm-sandbox, pool (reused)", OTHERS),
    Bar("cold", "fresh sandbox, nothing warm", OURS),
    Bar("docker_run_hardened", "docker run --rm, hardened", OTHERS),
    Bar("docker_run", "docker run --rm", OTHERS),
    Bar("llm_sandbox_new", "llm-sandbox, new container", OTHERS),
    Bar("swerex_new", "SWE-ReX, new container", OTHERS),
    Bar("smolagents_new", "smolagents, new kernel", OTHERS),
)


def draw(measured: BenchResult, to: Path) -> None:
    """Writes the picture: a bar ends at the median, its thin line at the 95th percentile."""
    bars = [(bar, row) for bar in BARS if (row := samples(measured, bar.key)) is not None]
    bars.sort(key=lambda each: each[1].p50)
    figure, axes = plt.subplots(figsize=(9.2, 0.42 * len(bars) + 1.7), dpi=160)
    figure.patch.set_facecolor(BACKGROUND)
    _bars(axes, bars)
    _scale(axes, bars, samples(measured, "host_python"))
    _annotate(axes, measured)
    figure.tight_layout()
    figure.savefig(to, facecolor=BACKGROUND)
    plt.close(figure)


def _bars(axes: Axes, bars: Sequence[tuple[Bar, Samples]]) -> None:
    places = range(len(bars))
    axes.barh(
        places, [row.p50 for _, row in bars], color=[bar.colour for bar, _ in bars], height=0.66
    )
    for place, (_, row) in zip(places, bars, strict=True):
        axes.plot([row.p50, row.p95], [place, place], color=INK, linewidth=1, alpha=0.45)
        axes.text(
            max(row.p50, row.p95) * 1.07,
            place,
            f"{row.p50:.1f} ms" if row.p50 < 100 else f"{row.p50:.0f} ms",
            va="center",
            fontsize=9,
            color=INK,
            bbox={"facecolor": BACKGROUND, "edgecolor": "none", "pad": 1},
        )
    axes.set_yticks(places, [bar.label for bar, _ in bars], fontsize=9.5, color=INK)
    axes.invert_yaxis()


def _scale(axes: Axes, bars: Sequence[tuple[Bar, Samples]], host: Samples | None) -> None:
    axes.set_xscale("log")
    slowest = max(max(row.p50, row.p95) for _, row in bars)
    axes.set_xlim(min(row.p50 for _, row in bars) * 0.5, slowest * 2.2)
    axes.xaxis.set_major_formatter(_axis_label)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(colors=GREY, labelsize=8.5, length=0)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.grid(axis="x", color="#e6e9ed", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    if host is not None:
        axes.axvline(host.p50, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)


def _axis_label(value: float, _: float) -> str:
    return f"{value:g} ms" if value < 1000 else f"{value / 1000:g} s"


def _annotate(axes: Axes, measured: BenchResult) -> None:
    axes.set_title(
        "One snippet over HTTP, from request to answer",
        loc="left",
        fontsize=13,
        fontweight="bold",
        color=INK,
        pad=36,
    )
    machine = measured.machine
    axes.text(
        0,
        1.02,
        "green: in a sandbox of its own, blue: in a session, grey: others; "
        f"{machine.cores} cores, {measured.n} rounds\n"
        "bar: median, line: 95th percentile, dashes: python3 -c on the host; logarithmic",
        transform=axes.transAxes,
        fontsize=8.5,
        color=GREY,
        va="bottom",
    )


if __name__ == "__main__":
    draw(BenchResult.model_validate_json(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))
