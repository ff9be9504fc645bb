"""The page of faults names every case once, and tests that there are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tests.faults.table import TESTS, Results, cases

CASES = {"A": 21, "B": 9, "C": 17, "D": 16, "E": 9, "F": 15, "G": 12}
RAN = """<testsuites><testsuite name="pytest">
<testcase classname="tests.sidecar.test_requests" name="test_a[1]"><properties>
<property name="gone_s" value="0.2"/></properties></testcase>
<testcase classname="tests.sidecar.test_requests" name="test_a[2]"><properties>
<property name="gone_s" value="0.1"/></properties></testcase>
<testcase classname="tests.sidecar.test_requests" name="test_b"><failure/></testcase>
</testsuite></testsuites>"""


def test_every_case_is_there_once_and_shown_by_a_test() -> None:
    assert [case.name for case in cases()] == [
        f"{part}{number:02}" for part, count in CASES.items() for number in range(1, count + 1)
    ]
    assert [case.name for case in cases() if case.applies and not case.tests] == []


def test_every_test_that_is_named_is_there() -> None:
    named = {test for case in cases() for test in case.tests}
    missing = [
        f"{file}::{name}"
        for file, name in sorted(named)
        if not re.search(rf"^(async )?def {name}\(", _text(file), re.MULTILINE)
    ]
    assert missing == []


def test_a_case_has_passed_when_all_of_its_tests_have(tmp_path: Path) -> None:
    (tmp_path / "results.xml").write_text(RAN)
    results = Results()
    results.take_in(tmp_path / "results.xml")
    file = "sidecar/test_requests.py"
    known = {name: (file, name) for name in ("test_a", "test_b", "test_c")}
    case = next(case for case in cases() if case.applies)
    said = [
        results.of(replace(case, tests=tuple(known[name] for name in names)))
        for names in (["test_a"], ["test_a", "test_b"], ["test_a", "test_c"])
    ]
    assert said == ["passed", "failure", "not run"]
    assert results.most == {"gone_s": 0.2}


def _text(file: str) -> str:
    path = TESTS / file
    return path.read_text() if path.is_file() else ""
