"""A line of a file of what users complained of, as a case of ours.

What is expected there is prose. A program can tell one thing: whether what was answered then, which
was wrong, is answered still.
"""

from __future__ import annotations

import ast
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from tests.cases.case import Case, Numbers, Recorded, Step

FAULT: Final = "FAULT"
# A long text is written as its two ends.
ELLIPSIS: Final = "...<"
_ENV: Final = TypeAdapter(dict[str, str])


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    status: str = ""
    exit: int = 0
    stdout: str = ""
    stderr: str = ""
    repr: str | None = None
    rich: tuple[tuple[str, int], ...] = ()
    artifacts: tuple[tuple[str, str, int], ...] = ()


class ComplaintLine(BaseModel):
    """The shape of the line; `got` is what was answered when it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    language: str
    code: str
    files: dict[str, str]
    expected: str
    got: JsonValue
    kind: str
    stdin: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    limits: Numbers = {}
    artifacts: tuple[str, ...] = ()
    isolation: str = ""
    timeout: float | None = None
    steps: tuple[dict[str, JsonValue], ...] = Field(default=())

    def case(self) -> Case:
        """The same as a case of ours; of calls that are no snippet, one that is not asked."""
        kind = self.kind.partition(":")[0]
        unsuited = self._unsuited(kind)
        first, *rest = [self._step()] if unsuited or not self.steps else self._session()
        return Case(
            **first.model_dump(),
            id=self.id,
            category=kind,
            why=f"{self.kind}: {self.expected}",
            session=bool(self.steps),
            unsuited=unsuited,
            then=tuple(rest),
        )

    def _unsuited(self, kind: str) -> str:
        if kind != FAULT:
            return "what is right is for judgement"
        if self.language in {"api", "session"} or any(
            "language" not in step for step in self.steps
        ):
            return "its calls are more than snippets"
        answers = self.got if isinstance(self.got, list) else [self.got]
        if not all(isinstance(answer, dict) and "status" in answer for answer in answers):
            return "its answer was no execution"
        return ""

    def _step(self) -> Step:
        limits = self.limits | ({} if self.timeout is None else {"timeout_s": self.timeout})
        return Step(
            language=self.language,
            code=self.code,
            stdin=self.stdin,
            args=self.args,
            env=self.env,
            files=tuple(self.files.items()),
            limits=limits,
            artifacts=self.artifacts,
            isolation=self.isolation,
            expect=(),
            unlike=_recorded(self.got),
        )

    def _session(self) -> list[Step]:
        answers = self.got if isinstance(self.got, list) else []
        last = len(self.steps) - 1
        return [
            Step(
                language=str(step["language"]),
                code=str(step["code"]),
                stateful=step.get("stateful") == "True",
                env=_ENV.validate_python(ast.literal_eval(str(step.get("env", "{}")))),
                expect=(),
                # A wrong session is wrong at its end.
                unlike=_recorded(answers[number]) if number == last else None,
            )
            for number, step in enumerate(self.steps)
        ]


def _recorded(got: JsonValue) -> Recorded | None:
    if not isinstance(got, dict) or "status" not in got:
        return None
    answer = _Answer.model_validate(got)
    if ELLIPSIS in answer.stdout + answer.stderr:
        return None
    return Recorded(
        status=answer.status,
        exit_code=answer.exit,
        stdout=answer.stdout,
        stderr=answer.stderr,
        result=answer.repr,
        rich=len(answer.rich),
        files=len(answer.artifacts),
    )
