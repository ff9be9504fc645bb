"""A line of a file of hostile snippets, as a case of ours."""

from __future__ import annotations

import base64
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from mini_agent_protocol.snippet import MAX_CODE_BYTES
from tests.cases.case import Case, Outcome, Step

LISTED: Final = {"work_mb": "workspace_mb"}
BY_FILE: Final = {
    "python": "import os, sys\nos.execv(sys.executable, ['python3', 'sent.source'])",
    "bash": "exec bash sent.source",
    "node": "require('child_process').execFileSync('node', ['sent.source'], {stdio: 'inherit'})",
}
# The cases were written on cold containers that share one user and one small memory.
# A runner that is the first process cannot be stopped, a filled cache needs no memory to compile
# hello, and a user that is no other sandbox's has a number of its own.
BETTER: Final = MappingProxyType[str, tuple[Outcome, ...]](
    {"res-sigstop-runner": ("ok", "timeout"), "res-go-hello-small": ("ok", "nonzero", "oom")}
)
SHARED_USER: Final = "65534"


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    content: str


class AbuseLine(BaseModel):
    """The shape of the line; `observed` is what an engine without a service made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    category: str
    language: str
    code: str
    code_b64: str = ""
    code_repeat: int = 1
    limits: dict[str, float | int] = {}
    expect: Outcome
    expect_any: tuple[Outcome, ...] = ()
    expect_exit_code: int | None = None
    expect_contains: str | tuple[str, ...] = ()
    expect_not_contains: str | tuple[str, ...] = ()
    stdin: str = ""
    files: tuple[_Sent, ...] = ()
    env: dict[str, str] = {}
    run2_code: str = ""
    harness: Literal["run", "service", "special"] = "run"
    check: str = ""
    why: str = ""
    observed: JsonValue = None

    def case(self) -> Case:
        """The same as a case of ours."""
        asked = Step(
            language=self.language,
            stdin=self.stdin,
            env=self.env,
            limits={LISTED.get(name, name): value for name, value in self.limits.items()},
            files=tuple((sent.name, sent.content) for sent in self.files),
        )
        first = asked.model_copy(update=self._source())
        steps = [first.model_copy(update=self._expected())]
        if self.run2_code:
            # What becomes of the first run does not matter where the second one is judged.
            second = asked.model_copy(update={"code": self.run2_code} | self._expected())
            steps = [first.model_copy(update={"expect": _ANY}), second]
        return Case(
            **steps[0].model_dump(),
            id=self.id,
            category=self.category,
            why=self.why,
            then=tuple(steps[1:]),
            unsuited="it has to be done by hand" if self.harness == "special" else "",
        )

    def _source(self) -> dict[str, object]:
        """The program; where the API takes no such text, as a file which is then run."""
        source = self.code.encode(errors="surrogatepass") * self.code_repeat
        if self.code_b64:
            source = base64.b64decode(self.code_b64)
        if _is_text(source) and len(source) <= MAX_CODE_BYTES:
            return {"code": source.decode()}
        sent = ("sent.source", base64.b64encode(source).decode())
        return {"code": BY_FILE[self.language], "files_base64": (sent,)}

    def _expected(self) -> dict[str, object]:
        outcomes = BETTER.get(self.id) or self.expect_any or (self.expect,)
        if self.harness == "service" and "blocked" in outcomes:
            outcomes = (*outcomes, "refused")
        return {
            "expect": outcomes,
            "exit_code": self.expect_exit_code,
            "contains": tuple(t for t in _several(self.expect_contains) if t != SHARED_USER),
            "lacks": _several(self.expect_not_contains),
        }


_ANY: Final[tuple[Outcome, ...]] = ("ok", "nonzero", "timeout", "oom", "output_limit", "killed")


def _is_text(source: bytes) -> bool:
    try:
        source.decode()
    except UnicodeDecodeError:
        return False
    return True


def _several(written: str | tuple[str, ...]) -> tuple[str, ...]:
    return (written,) if isinstance(written, str) else written
