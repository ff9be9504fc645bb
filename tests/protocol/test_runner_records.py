"""What the sidecar and the runner in a sandbox share: frames, orders, results."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mini_agent_protocol
from mini_agent_protocol.frames import decode_header, encode_frame, encode_part, split_parts
from mini_agent_protocol.order import (
    RunOrder,
    RunResult,
    decode_order,
    decode_result,
    encode_order,
    encode_result,
)

FOLDER = Path(mini_agent_protocol.__file__).parent
IN_THE_IMAGE = ("__init__.py", "frames.py", "order.py", "record.py")
HEAVY = ("typing", "dataclasses", "pathlib", "pydantic", "inspect")
ORDER = RunOrder(
    program="main.py",
    code="print('ä')",
    start=["python3"],
    compile=[],
    beside=False,
    stdin="",
    args=["a"],
    env={"A": "b"},
    compile_timeout_s=45.0,
    timeout_s=1.5,
    artifacts=["*"],
    artifact_count=1,
    artifact_bytes=2,
    output_bytes=3,
)


def test_the_image_holds_what_it_imports_and_nothing_slow(tmp_path: Path) -> None:
    package = tmp_path / "mini_agent_protocol"
    package.mkdir()
    for name in IN_THE_IMAGE:
        shutil.copy(FOLDER / name, package)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from mini_agent_protocol import frames, order, record; "
        f"print(order.RunResult(), sorted(set({HEAVY}) & set(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert printed.stdout.startswith("RunResult(phase='run', exit_code=0, ")
    assert printed.stdout.endswith("[]\n")


def test_the_image_is_built_with_those_files() -> None:
    dockerfile = FOLDER.parents[1] / "sandbox-images" / "base" / "Dockerfile"
    assert f"COPY --from=protocol {' '.join(IN_THE_IMAGE)} " in dockerfile.read_text()


def test_a_frame_says_what_follows_it() -> None:
    frame = encode_frame(b"O", b"abc")
    assert (decode_header(frame[:5]), frame[5:]) == ((b"O", 3), b"abc")


def test_a_body_of_two_parts_is_split_where_they_meet() -> None:
    assert split_parts(encode_part(b"text") + b"the rest") == (b"text", b"the rest")


def test_an_order_arrives_as_it_was_sent() -> None:
    assert decode_order(encode_order(ORDER)) == ORDER
    assert (ORDER.isolation, ORDER.stateful) == ("spawn", False)


def test_a_result_arrives_as_it_was_sent() -> None:
    result = RunResult(exit_code=3, run_ms=1.5, python="kept")
    assert decode_result(encode_result(result)) == result


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        *[
            json.dumps(RunResult()._asdict() | changes).encode()
            for changes in (
                {"more": 1},
                {"exit_code": "0"},
                {"exit_code": True},
                {"late": 0},
                {"run_ms": None},
                {"phase": "end"},
                {"python": ["new"]},
                {"failed": 1},
            )
        ],
    ],
)
def test_a_result_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"result|codec|Expecting"):
        decode_result(body)


def test_a_record_takes_its_own_fields_and_no_others() -> None:
    fields: dict[str, Any] = {"more": 1}
    with pytest.raises(TypeError):
        RunResult(**fields)
