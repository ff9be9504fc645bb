"""What the shim counts."""

from __future__ import annotations

import asyncio
import re

import httpx

from mini_agent.model import ModelReply
from mini_agent.result import Usage
from mini_agent_shim import metrics
from mini_agent_shim.settings import ShimSettings
from tests.observability.exported_spans import TRACEPARENT
from tests.shim.runs.run_client import REQUEST, start_run, wait_for_end
from tests.shim.scripted import ScriptedModel, SilentModel, open_client, program_turn, text_turn

DONE = 'mini_agent_runs_total{state="done",stopped_reason="success"}'


def count(name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.render().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


class Since:
    """How much more than at its making."""

    def __init__(self, *names: str) -> None:
        self._before = {name: count(name) for name in names}

    @property
    def now(self) -> list[float]:
        return [round(count(name) - before, 6) for name, before in self._before.items()]


async def test_a_run_is_counted_with_its_turns_calls_and_tokens() -> None:
    since = Since(
        DONE,
        "mini_agent_run_seconds_count",
        "mini_agent_run_queue_seconds_count",
        "mini_agent_run_iterations_sum",
        "mini_agent_model_call_seconds_count",
        'mini_agent_model_requests_total{again="no"}',
        'mini_agent_tool_call_seconds_count{outcome="ok",tool="echo"}',
        'mini_agent_tokens_total{kind="prompt"}',
        'mini_agent_tokens_total{kind="completion"}',
        "mini_agent_cost_dollars_total",
    )
    turn = ModelReply(text="42", usage=Usage(prompt_tokens=7, completion_tokens=3, cost=0.25))
    async with open_client(ScriptedModel([program_turn("x", tool="echo"), turn])) as client:
        await client.post("/agent/run", json=REQUEST)
    assert since.now == [1, 1, 1, 2, 2, 2, 1, 7, 3, 0.25]


async def test_runs_that_are_queued_and_in_progress_are_levels() -> None:
    model = SilentModel()
    levels = "mini_agent_runs_running", "mini_agent_runs_queued"
    since = Since(*levels, 'mini_agent_runs_total{state="cancelled",stopped_reason="cancelled"}')
    never = Since('mini_agent_runs_total{state="cancelled",stopped_reason="none"}')
    async with open_client(model, ShimSettings(runs_at_once=1)) as client:
        first, second = await start_run(client), await start_run(client)
        await model.asked.wait()
        assert since.now[:2] == [1, 1]
        await client.post(f"/runs/{second}/cancel")
        await client.post(f"/runs/{first}/cancel")
        await wait_for_end(client, first)
    assert (since.now, never.now) == ([0, 0, 1], [1])


async def test_refusals_are_counted_by_code() -> None:
    names = [
        f'mini_agent_refused_total{{code="{code}"}}'
        for code in ("invalid_request", "malformed_json", "no_such_run", "too_many_runs")
    ]
    since = Since(*names)
    settings = ShimSettings(runs_at_once=1, runs_waiting=0)
    async with open_client(model := SilentModel(), settings) as client:
        await client.post("/agent/run", json={"messages": 1})
        json_type = {"Content-Type": "application/json"}
        await client.post("/agent/run", content=b"{", headers=json_type)
        await client.get(f"/runs/{'0' * 32}")
        run = await start_run(client)
        await asyncio.wait_for(model.asked.wait(), 5)
        await client.post("/agent/run", json=REQUEST)
        await client.post(f"/runs/{run}/cancel")
    assert since.now == [1, 1, 1, 1]


async def test_a_tool_that_a_model_made_up_is_no_label_of_its_own() -> None:
    since = Since('mini_agent_tool_call_seconds_count{outcome="not_run",tool="other"}')
    model = ScriptedModel([program_turn("", tool="made_up_zq"), text_turn("oh")])
    async with open_client(model) as client:
        await client.post("/agent/run", json=REQUEST)
    assert since.now == [1]
    assert "made_up_zq" not in metrics.render().decode()


async def test_nothing_of_a_request_is_in_the_counts() -> None:
    asked = {
        **REQUEST,
        "model": "model-zq/secret",
        "messages": [{"role": "user", "content": "the prompt's secret"}],
    }
    turns = [program_turn("the code's secret", tool="echo"), text_turn("the answer's secret")]
    model = ScriptedModel(turns)
    async with open_client(model) as client:
        await client.post("/agent/run", json=asked, headers=TRACEPARENT)
        await client.get("/runs/secret-run", headers={"X-Request-Id": "secret-id"})
        counts = (await client.get("/metrics")).text
    assert "secret" not in counts


async def test_the_counts_are_what_prometheus_reads_and_stand_behind_the_door() -> None:
    settings = ShimSettings.model_validate({"shim_token": "a-token"})
    async with open_client(ScriptedModel([]), settings) as client:
        turned_away = await client.get("/metrics")
        client.headers["Authorization"] = "Bearer a-token"
        counts = await client.get("/metrics")
    assert turned_away.status_code == httpx.codes.UNAUTHORIZED
    assert counts.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "\nprocess_resident_memory_bytes " in counts.text
