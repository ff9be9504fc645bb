"""The order for one snippet, and the result: the headers of the two frames that matter."""

import json

from sandbox_runner.record import Record


class Order(Record):
    """What to run, with what, for how long, and what to bring back.

    `isolation` is "fork" or "spawn" and `stateful` keeps the interpreter; both are for python.
    """

    language: str
    code: str
    stdin: str
    args: list[str]
    env: dict[str, str]
    compile_timeout_s: float
    timeout_s: float
    artifacts: list[str]
    artifact_count: int
    artifact_bytes: int
    isolation: str = "fork"
    stateful: bool = False


class Result(Record):
    """What became of a snippet; `failed` says why it could not even be started.

    `python` is "kept" where the snippet ran in the interpreter of the one before it, "lost" where
    that was to be so but the interpreter had died.
    """

    phase: str = "run"
    exit_code: int = 0
    signal: int = 0
    late: bool = False
    compile_ms: float = 0.0
    run_ms: float = 0.0
    oom_kills: int = 0
    failed: str = ""
    python: str = "new"


def read_order(header: bytes) -> Order:
    """The order in a header frame."""
    return Order(**json.loads(header))


def write_result(result: Result) -> bytes:
    """The result as the body of its frame."""
    return json.dumps(result._asdict()).encode()


def write_skipped(skipped: list[str]) -> bytes:
    """The list of files that were left behind, as it goes before the archive."""
    return json.dumps(skipped).encode()
