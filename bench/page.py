"""The page of a proof: one file of HTML, that needs nothing else and says everything."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

from bench.proof import Proof, Verdict
from bench.samples import Samples
from tests.cases.court import Judgement

STYLE: Final = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
KINDS: Final = (("abuse/", "hostile snippets"), ("programs/", "programs of ours"))


def page(proof: Proof) -> str:
    """The whole page. Whatever comes from a snippet or a machine is escaped."""
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{_headline(proof)}</title><style>{STYLE}</style></head><body><main>",
            _head(proof),
            _tiles(proof),
            _failures(proof),
            _latencies(proof),
            _suites(proof),
            _skipped(proof),
            _machine(proof),
            "</main></body></html>",
        )
    )


def _headline(proof: Proof) -> str:
    passed, failed, _ = proof.count()
    if failed:
        verb = "is" if failed == 1 else "are"
        return f"{failed} of {passed + failed} cases {verb} not as expected"
    return f"All {passed} cases are as expected"


def _head(proof: Proof) -> str:
    mood = "bad" if proof.failed else "good"
    return (
        f'<header class="{mood}"><p class="kicker">mini-agent sandboxes, proved on this machine</p>'
        f"<h1>{_headline(proof)}</h1>"
        f"<p>{escape(proof.service)}, runtime <b>{escape(proof.runtime)}</b>, {proof.made_at}, "
        f"in {proof.seconds:.0f} s. Every case was sent over HTTP and ran in a sandbox; a case "
        "says what a sound sandbox answers.</p></header>"
    )


def _tiles(proof: Proof) -> str:
    named = [(label, proof.count(prefix)) for prefix, label in KINDS]
    others = _others(proof)
    if sum(others):
        named.append(("cases of other people", others))
    tiles = [_tile(f"{passed}/{passed + failed}", label) for label, (passed, failed, _) in named]
    if (first := _find(proof.latencies, "python print(1)")) is not None:
        tiles.append(_tile(f"{first.p50:.1f} ms", "a fresh sandbox answers print(1), median"))
    return f'<section class="tiles">{"".join(tiles)}</section>'


def _others(proof: Proof) -> tuple[int, int, int]:
    ours = [proof.count(prefix) for prefix, _ in KINDS]
    every = proof.count()
    passed, failed, skipped = (
        every[place] - sum(each[place] for each in ours) for place in range(3)
    )
    return passed, failed, skipped


def _tile(value: str, label: str) -> str:
    return f"<div><b>{escape(value)}</b><span>{escape(label)}</span></div>"


def _failures(proof: Proof) -> str:
    if not proof.failed:
        return ""
    articles = (
        f'<article class="fault"><h3>{escape(judgement.case.id)}</h3>'
        f"<p>{escape(suite)}{_why(judgement)}</p>"
        f"<ul>{''.join(f'<li>{escape(fault)}</li>' for fault in judgement.faults)}</ul>"
        f"<details><summary>its program</summary><pre>{escape(judgement.case.code[:4000])}</pre>"
        "</details></article>"
        for suite, judgement in proof.failed
    )
    return f"<section><h2>Not as expected</h2>{''.join(articles)}</section>"


def _why(judgement: Judgement) -> str:
    return f": {escape(judgement.case.why)}" if judgement.case.why else ""


def _latencies(proof: Proof) -> str:
    host = proof.latencies[0] if proof.latencies[0].label.startswith("host ") else None
    rows = (
        f"<tr><td>{escape(row.label)}</td><td>{row.p50:.1f}</td><td>{row.p95:.1f}</td>"
        f"<td>{f'{row.p50 / host.p50:.2f}' if host else ''}</td></tr>"
        for row in proof.latencies
    )
    return (
        "<section><h2>How long it takes</h2><p>Milliseconds over HTTP, one request at a time, "
        f"{len(proof.latencies[-1].taken)} samples each; every one in a sandbox that nothing has "
        "run in before.</p><div class='wide'><table><thead><tr><th>snippet</th><th>median</th>"
        "<th>p95</th><th>x host</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _suites(proof: Proof) -> str:
    return f"<section><h2>What was asked</h2>{''.join(map(_suite, proof.verdicts))}</section>"


def _suite(verdict: Verdict) -> str:
    judged = len(verdict.judgements) - len(verdict.skipped)
    mood = "bad" if verdict.failed else "good"
    return (
        f'<details><summary><span class="dot {mood}"></span>{escape(verdict.name)}'
        f"<span class='count'>{verdict.passed}/{judged}</span></summary>"
        f"<div class='wide'><table><tbody>{''.join(_lines(verdict.judgements))}</tbody></table>"
        "</div></details>"
    )


def _lines(judgements: Iterable[Judgement]) -> Iterable[str]:
    for each in judgements:
        mood = "bad" if each.faults else "none" if each.skipped else "good"
        expected = " or ".join(each.case.steps[-1].expect)
        yield (
            f'<tr><td><span class="dot {mood}"></span>{escape(each.case.id)}</td>'
            f"<td>{escape(each.case.language)}</td><td>{escape(expected)}</td>"
            f"<td>{each.seconds:.2f} s</td></tr>"
        )


def _skipped(proof: Proof) -> str:
    left = [each for verdict in proof.verdicts for each in verdict.skipped]
    if not left:
        return ""
    rows = (f"<li><b>{escape(each.case.id)}</b>: {escape(each.skipped)}</li>" for each in left)
    return f"<section><h2>Not asked, and why</h2><ul>{''.join(rows)}</ul></section>"


def _machine(proof: Proof) -> str:
    lines = [
        *proof.machine.lines(),
        ", ".join(f"{name} {version}" for name, version in proof.versions),
    ]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return (
        f"<section><h2>The machine</h2><ul>{items}</ul></section><footer>Made by <code>make prove"
        "</code>; the cases are in <code>tests/cases</code>.</footer>"
    )


def _find(latencies: Iterable[Samples], label: str) -> Samples | None:
    return next((each for each in latencies if each.label == label), None)
