"""The page of a proof stands by itself, and nothing that a snippet says becomes part of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from bench.page import page
from bench.proof import Proof, Verdict
from bench.samples import Samples
from tests.bench.test_report import HERE
from tests.cases.case import Case
from tests.cases.court import Judgement

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def proof(*judgements: Judgement) -> Proof:
    return Proof(
        made_at="2030-01-01 00:00 UTC",
        service=HOSTILE,
        runtime=HOSTILE,
        versions=((HOSTILE, HOSTILE),),
        machine=HERE.model_copy(update={"cpu": HOSTILE}),
        verdicts=(Verdict("abuse/time", judgements),),
        latencies=(Samples("host x", [10.0]), Samples("python print(1)", [4.0])),
        seconds=3,
    )


def judged(*faults: str, skipped: str = "") -> Judgement:
    case = Case(id=HOSTILE, language=HOSTILE, code=HOSTILE, why=HOSTILE)
    return Judgement(case, faults, 0.5, skipped)


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_nothing_that_is_shown_becomes_markup_and_nothing_is_fetched() -> None:
    text = page(proof(judged(HOSTILE), judged(), judged(skipped=HOSTILE)))
    tags = Tags(text).seen
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in tags}
    assert not {name for _, named in tags for name in named if name in {"src", "href", "onerror"}}
    assert not re.search(r"url\(|@import|https?://", text)
    assert text.count("&lt;script&gt;") >= 5


def test_the_headline_says_whether_all_is_well() -> None:
    assert "<h1>All 2 cases are as expected</h1>" in page(proof(judged(), judged()))
    text = page(proof(judged("wrong"), judged(), judged(skipped="too long")))
    assert "<h1>1 of 2 cases is not as expected</h1>" in text
    assert "too long" in text


def test_a_case_that_failed_is_told_with_its_program() -> None:
    text = page(proof(judged("it took too long")))
    assert "it took too long" in text
    assert "<summary>its program</summary>" in text
