"""A shim that is killed in the middle of a run leaves a log that says so."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mini_agent.errors import NotConfigured
from mini_agent.testing import ScriptedServer, call, hang, text
from mini_agent.testing.script import Script
from mini_agent_shim.app import create_app
from mini_agent_shim.runs.redaction import Redactor
from mini_agent_shim.runs.schema import RunQueued, RunSummary
from mini_agent_shim.runs.store import Retention, RunStore
from mini_agent_shim.settings import ShimSettings
from tests.faults.disclosure import require_no_secrets
from tests.shim.runs.run_client import KEYED, REQUEST, parse_messages
from tests.shim.serving import until_healthy

PATIENCE_S = 100.0
SUMMARY = RunSummary(id="0" * 32, model="a/b", created_at=time.time(), state="running")
QUEUED = RunQueued(run_id=SUMMARY.id, request_id="", caller="", door="agent", request={})


@contextmanager
def shim(folder: Path, model_url: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """A shim as a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {
        "MINI_AGENT_RUNS_DIR": str(folder),
        "MINI_AGENT_SHIM_PORT": str(port),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENAI_API_BASE": model_url,
    }
    with (folder / "stderr").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mini_agent_shim"],
            env=os.environ | variables,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=100, trust_env=False) as client:
        try:
            until_healthy(client)
            yield process, client
        finally:
            process.kill()
            process.wait()
    require_no_secrets((folder / "stderr").read_text())


def state(client: httpx.Client, run_id: str) -> str:
    return str(client.get(f"/runs/{run_id}").json()["state"])


def until_asked(model: ScriptedServer, times: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while len(model.requests) < times:
        assert time.monotonic() < until, "the model is not asked"
        time.sleep(0.05)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_done_is_done_and_what_was_in_progress_is_interrupted_and_readable(
    tmp_path: Path, how: signal.Signals
) -> None:
    script: Script = [text("42"), call("echo", text="so far"), hang()]
    with ScriptedServer(script) as model:
        asked = REQUEST | {"model": "openai/scripted", "api_base": model.openai_url, "api_key": "x"}
        with shim(tmp_path, model.openai_url) as (process, client):
            done = client.post("/agent/run", json=asked).headers["x-run-id"]
            late = client.post("/agent/run", json=asked | {"background": True}, headers=KEYED)
            run_id = late.json()["id"]
            until_asked(model, 3)
            # Whoever listens is cut off in the end.
            with client.stream("GET", f"/runs/{run_id}/events"):
                process.send_signal(how)
                process.wait(PATIENCE_S)
        with shim(tmp_path, model.openai_url) as (_, client):
            assert (state(client, done), state(client, run_id)) == ("done", "interrupted")
            told = parse_messages(client.get(f"/runs/{run_id}/events").text)
            again = client.post("/agent/run", json=asked, headers=KEYED)
    assert "tool_finished" in [each.kind for each in told]
    assert told[-1].kind == "run_ended"
    assert [each.seq for each in told] == list(range(1, len(told) + 1))
    assert again.headers.get("x-run-id", run_id) == run_id


def test_a_line_that_a_crash_cut_off_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    store = RunStore(tmp_path, Retention())
    store.open()
    journal = store.create_journal(SUMMARY, Redactor(()))
    journal.append(QUEUED)
    journal.close()
    store.close()
    path = folder / f"{SUMMARY.id}.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq":2,"at":1.5,"event":{"kind":"model_as')
    again = RunStore(tmp_path, Retention())
    found = again.index.find(SUMMARY.id)
    again.close()
    assert found is not None
    assert found.state == "interrupted"
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines[0] == whole
    assert json.loads(lines[1])["event"]["state"] == "interrupted"


def test_two_shims_do_not_write_one_log(tmp_path: Path) -> None:
    first = RunStore(tmp_path, Retention())
    first.open()
    with pytest.raises(NotConfigured, match="another shim keeps its runs"):
        RunStore(tmp_path, Retention()).open()
    first.close()
    second = RunStore(tmp_path, Retention())
    second.open()
    second.close()


async def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app = create_app(ShimSettings(runs_dir=tmp_path / "file" / "runs"))
    with pytest.raises(NotConfigured, match="the runs cannot be kept"):
        async with app.router.lifespan_context(app):
            pass
