"""An order for one snippet and its result: the JSON bodies of the frames SNIPPET and RESULT.

The runner imports this module in every sandbox: the standard library alone, and little of it.
"""

import json

from mini_agent_protocol.record import Record

PHASES = ("compile", "run")
INTERPRETERS = ("new", "kept", "lost")

# A type checker takes it as true, wherever it is defined.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Literal

    Phase = Literal["compile", "run"]
    Interpreter = Literal["new", "kept", "lost"]


class RunOrder(Record):
    """What to run, with what, for how long, and what to bring back.

    `program` is the name of the program's file. It lies in a folder of its own, or where `beside`
    is true in the workspace, for as long as it is needed there. `start` is the command that runs
    it and `compile` the compiler's, if there is one; whichever reads the file is given its path.
    `output_bytes` is how much both streams together may hold. `isolation` is "fork" where a fork of
    the runner's own interpreter may run the program, and "spawn" where only `start` may. `stateful`
    keeps that interpreter for the next snippet.
    Times are seconds.
    """

    program: str
    code: str
    start: list[str]
    compile: list[str]
    beside: bool
    stdin: str
    args: list[str]
    env: dict[str, str]
    compile_timeout_s: float
    timeout_s: float
    artifacts: list[str]
    artifact_count: int
    artifact_bytes: int
    output_bytes: int
    isolation: str = "spawn"
    stateful: bool = False


class RunResult(Record):
    """What happened to a snippet; `failed` says why it could not even be started.

    `signal` is 0 for none, `late` says that the deadline ended it, `flooded` that its output was
    too long, times are milliseconds.
    `python` is "kept" where the snippet ran in the interpreter of the one before it, "lost" where
    it should have but the interpreter had died.
    """

    phase: "Phase" = "run"
    exit_code: int = 0
    signal: int = 0
    late: bool = False
    flooded: bool = False
    compile_ms: float = 0.0
    run_ms: float = 0.0
    oom_kills: int = 0
    failed: str = ""
    python: "Interpreter" = "new"


def encode_order(order: RunOrder) -> bytes:
    """Encode an order as the body of its frame."""
    return json.dumps(order._asdict()).encode()


def decode_order(body: bytes) -> RunOrder:
    """Decode an order that the sidecar wrote."""
    return RunOrder(**json.loads(body))


def encode_result(result: RunResult) -> bytes:
    """Encode a result as the body of its frame."""
    return json.dumps(result._asdict()).encode()


def decode_result(body: bytes) -> RunResult:
    """Decode a result that a sandbox wrote, which may be hostile; raises ValueError."""
    try:
        fields = json.loads(body)
    except RecursionError as deep:
        raise ValueError("a result has no depth") from deep
    if not isinstance(fields, dict) or fields.keys() != set(RunResult._fields):
        raise ValueError(f"a result has the fields {RunResult._fields}")
    for name, default in RunResult._field_defaults.items():
        _require_type(name, fields[name], default)
    if fields["phase"] not in PHASES or fields["python"] not in INTERPRETERS:
        raise ValueError("a result of no known phase or interpreter")
    return RunResult(**fields)


def encode_skipped(skipped: list[str]) -> bytes:
    """Encode the skipped files, with a reason each, as the first part of ARTIFACTS."""
    return json.dumps(skipped).encode()


def _require_type(name: str, value: object, default: object) -> None:
    kinds = (int, float) if type(default) is float else (type(default),)
    if type(value) not in kinds:
        raise ValueError(f"{name} of a result is {value!r:.100}")
