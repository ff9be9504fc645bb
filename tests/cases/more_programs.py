"""A line of a file of programs, as a case of ours."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from tests.cases.case import Case, Outcome, Step

_FAILED: Final[tuple[Outcome, ...]] = ("nonzero", "oom", "output_limit", "killed", "compile_error")
OUTCOMES: Final = MappingProxyType[str, tuple[Outcome, ...]](
    {
        "success": ("ok",),
        "failed": _FAILED,
        "timeout": ("timeout",),
        "compile_error": ("compile_error",),
        "session": ("ok",),
        "rejected": ("refused", "nonzero", "compile_error"),
        "any": ("ok", "timeout", "refused", *_FAILED),
        "resource_limited": ("limited", *_FAILED),
        "timeout_or_limited": ("timeout", "limited", *_FAILED),
        "output_limit_or_timeout": ("timeout", "limited", "output_limit"),
    }
)
TESTERS: Final = MappingProxyType(
    {
        "go_test": (
            "go",
            "main_test.go",
            "go mod init case >init.log 2>&1; go test -vet=off ./...",
        ),
        "pytest": ("python", "test_main.py", "python3 -m pytest -p no:cacheprovider test_main.py"),
    }
)


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    base64: str


class _Cell(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    expect_stdout: str | None = None
    expect_contains: tuple[str, ...] = ()
    expect_error: str | None = None
    expect_result: str | None = None


class ProgramLine(BaseModel):
    """The shape of the line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    source: str
    license: str
    language: str
    mode: Literal["run", "go_test", "pytest"]
    code: str
    stdin: str | None = None
    files: dict[str, _Content] = {}
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    expect_stdout: str | None = None
    stdout_compare: Literal["exact", "strip"] = "exact"
    expect_contains: tuple[str, ...] = ()
    expect_stderr_contains: tuple[str, ...] = ()
    expect_status: str
    expect_exit_code: int | None = None
    timeout_s: float
    compile_timeout_s: float | None = None
    fetch_files: tuple[str, ...] = ()
    session: tuple[_Cell, ...] = ()
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    notes: str = ""
    verified: bool | None = None

    def case(self) -> Case:
        """The same as a case of ours."""
        in_session = self.expect_status == "session"
        first, *rest = [self._cell(cell) for cell in self.session] if in_session else [self._run()]
        if "run_twice" in self.tags:
            # Where it cannot even write, nothing persists either; a leak it would print.
            first = first.model_copy(update={"expect": ("ok", "nonzero"), "stdout": ""})
            rest = [first]
        return Case(
            **first.model_dump(),
            id=self.id,
            category=self.language,
            why=self.notes,
            session=in_session and not self._restarts(),
            copies=2 if "concurrent:2" in self.tags else 1,
            packages=tuple(need[5:] for need in self.needs if need.startswith("pypi:")),
            unsuited=self._unsuited(),
            then=tuple(rest),
        )

    def _run(self) -> Step:
        run = Step(
            language=self.language,
            code=self.code,
            stdin=self.stdin or "",
            args=self.args,
            env=self.env,
            files_base64=tuple((name, sent.base64) for name, sent in self.files.items()),
            limits={"timeout_s": self.timeout_s},
            artifacts=self.fetch_files,
            fetched=self.fetch_files or None,
            expect=OUTCOMES[self.expect_status],
            exit_code=self.expect_exit_code,
            stdout=self.expect_stdout,
            strips=self.stdout_compare == "strip",
            contains=self.expect_contains,
            in_stderr=self.expect_stderr_contains,
        )
        return run if self.mode == "run" else self._tested(run)

    def _tested(self, run: Step) -> Step:
        """The program as a file, and the language's own tester over it."""
        toolchain, name, command = TESTERS[self.mode]
        # The tester compiles in the time of the run, which was not counted where this comes from.
        spare = 0.0 if self.expect_status == "timeout" else 60.0
        changed = {
            "language": "bash",
            "toolchain": toolchain,
            "code": command,
            "files": ((name, self.code),),
            "limits": {"timeout_s": self.timeout_s + spare},
        }
        return run.model_copy(update=changed)

    def _cell(self, cell: _Cell) -> Step:
        timeout = (cell.expect_error or "").partition("timeout:")[2]
        is_table = cell.expect_result == "dataframe"
        failed = cell.expect_error and not timeout
        return Step(
            language=self.language,
            code=cell.code,
            stateful=self.language == "python" and not self._restarts(),
            limits={"timeout_s": float(timeout or self.timeout_s)},
            expect=("timeout",) if timeout else _FAILED if failed else ("ok",),
            stdout=cell.expect_stdout,
            contains=cell.expect_contains,
            in_stderr=((cell.expect_error or "").split()[0],) if failed else (),
            result=None if is_table else cell.expect_result,
            rich="text/html" if is_table else "",
        )

    def _restarts(self) -> bool:
        return any("restart" in (cell.expect_error or "") for cell in self.session)

    def _unsuited(self) -> str:
        for need in self.needs:
            kind, _, name = need.partition(":")
            if kind in {"npm", "gomod", "writable"} or need == "network:egress":
                return f"it needs {need}"
            if kind not in {"pypi", "bin", "network"}:
                return f"it needs {kind} {name}, which is not known here"
        if any(tag.startswith("stdin_generate") for tag in self.tags):
            return "its input is longer than what a snippet may be given"
        return ""
