"""The judge finds what is wrong, and nothing else; the files of cases hold together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mini_agent.errors import ErrorBody
from mini_agent.sandbox import (
    LANGUAGES,
    EnforcedLimits,
    Execution,
    SandboxFacts,
    Status,
    Truncated,
)
from tests.cases.case import Outcome, Step
from tests.cases.court import body_of
from tests.cases.judge import Answer, faults
from tests.cases.more import VARIABLE, more_suites
from tests.cases.own import own_suites


def answered(status: Status = "ok", stdout: str = "", **more: object) -> Answer:
    ran = Execution(
        language="python",
        status=status,
        exit_code=0,
        stdout=stdout,
        limits=EnforcedLimits(
            timeout_s=1, memory_mb=1, cpus=1, pids=1, output_bytes=1, workspace_mb=1
        ),
        sandbox=SandboxFacts(image="", runtime=""),
    )
    return Answer(200, 0.1, execution=ran.model_copy(update=more))


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (Step(language="python"), answered("timeout")),
        (Step(language="python"), Answer(500, 0.1)),
        (Step(language="python", expect=("refused",)), answered("nonzero")),
        (Step(language="python", expect=("refused",)), Answer(422, 0.1)),
        (Step(language="python", expect=("blocked",)), answered()),
        (Step(language="python", expect=("limited",)), answered("timeout")),
        (Step(language="python", expect=("oom",)), answered("nonzero")),
        (Step(language="python"), answered(stdout="ESCAPED")),
        (Step(language="python", stdout="a"), answered(stdout="a\n")),
        (Step(language="python", contains=("a",)), answered(stdout="b")),
        (Step(language="python", lacks=("b",)), answered(stdout="b")),
        (Step(language="python", in_stderr=("a",)), answered(stdout="a")),
        (Step(language="python", exit_code=1), answered()),
        (Step(language="python", result="1"), answered(result_repr="2")),
        (Step(language="python", rich="image/png"), answered()),
        (Step(language="python", fetched=("a",)), answered()),
        (Step(language="python", skipped=("a link",)), answered()),
        (Step(language="python", within_s=0.05), answered()),
    ],
)
def test_an_answer_that_is_not_as_expected_has_a_fault(expected: Step, answer: Answer) -> None:
    assert len(faults(expected, answer)) == 1


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        ("ok", answered()),
        ("blocked", answered("nonzero", stdout="BLOCKED")),
        ("blocked", answered("nonzero", stderr="Traceback\nPermissionError: [Errno 13]\n")),
        ("limited", answered("output_limit", truncated=Truncated(stdout=True))),
        ("oom", answered("nonzero", oom_events=1)),
        ("refused", Answer(422, 0.1, problem=ErrorBody(code="bad", message="no"))),
    ],
)
def test_an_answer_that_is_as_expected_has_none(expect: Outcome, answer: Answer) -> None:
    assert faults(Step(language="python", expect=(expect,)), answer) == ()


def test_there_are_enough_cases_of_every_kind_and_each_has_a_name_of_its_own() -> None:
    abuse, programs = own_suites("abuse"), own_suites("programs")
    names = [(suite.name, case.id) for suite in (*abuse, *programs) for case in suite.cases]
    assert len(names) == len(set(names))
    assert sum(len(suite.cases) for suite in abuse) >= 60
    assert sum(len(suite.cases) for suite in programs) >= 40
    assert {suite.name for suite in programs} >= {f"programs/{name}" for name in LANGUAGES}


def test_a_request_says_what_the_step_says_and_can_say_a_name_twice() -> None:
    step = Step(language="bash", code="x", code_repeat=2, files=(("a", "1"), ("a", "2")))
    pairs: list[str] = []

    def noted(found: list[tuple[str, object]]) -> dict[str, object]:
        pairs.extend(name for name, _ in found)
        return dict(found)

    asked = json.loads(body_of(step), object_pairs_hook=noted)
    assert asked == {"language": "bash", "code": "xx", "files": {"a": "Mg=="}}
    assert pairs.count("a") == 2


def test_other_peoples_files_are_found_in_folders_and_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abuse = {"id": "one", "category": "time", "language": "bash", "code": "x", "expect": "blocked"}
    program = {
        "id": "two",
        "source": "",
        "license": "",
        "language": "javascript",
        "mode": "run",
        "code": "y",
        "stdin": None,
        "expect_status": "failed",
        "timeout_s": 3,
    }
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.jsonl").write_text(json.dumps(abuse) + "\n")
    (tmp_path / "b.jsonl").write_text(json.dumps(program) + "\n")
    monkeypatch.setenv(VARIABLE, f"{tmp_path / 'folder'}:{tmp_path / 'b.jsonl'}")
    first, second = more_suites()
    assert (first.name, first.cases[0].expect) == ("a/time", ("blocked",))
    assert (second.name, second.cases[0].limits) == ("b/javascript", {"timeout_s": 3})
    assert "nonzero" in second.cases[0].expect
