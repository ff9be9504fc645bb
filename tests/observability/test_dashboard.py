"""The Grafana dashboard in docs/grafana asks for nothing that the two services do not serve."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.shim.runs.run_client import REQUEST
from tests.shim.scripted import ScriptedModel, open_client, program_turn, text_turn
from tests.sidecar import conftest as sidecar
from tests.sidecar.conftest import Opened

engine = sidecar.engine
opened = sidecar.opened
DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana" / "mini-agent.json"
SNIPPET = {"language": "python", "code": "print(1)"}
# Prometheus itself adds it to what it fetches, and `le` to the buckets of a histogram.
OWN_LABELS = {"job", "le"}


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def names_in(expression: str) -> set[str]:
    """The metrics: every name that is followed neither by a bracket nor, as labels are, set."""
    bare = re.sub(r'"[^"]*"|\[[^]]*\]|by \([^)]*\)|\{[^}]*\}', "", expression)
    return set(re.findall(r"\b[a-z][a-z_]+\b(?! *\()", bare))


def labels_in(expression: str) -> set[str]:
    named = re.findall(r"by \(([^)]*)\)", expression)
    matched = re.findall(r"\{([^}]*)\}", expression)
    return set(re.findall(r"[a-z_]+", " ".join(named))) | set(
        re.findall(r"([a-z_]+)=", " ".join(matched))
    )


def families(exposed: str) -> dict[str, set[str]]:
    """The samples that there are, or can be, each with the labels it has."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposed):
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        for end in ends.get(family.type, ("",)):
            found.setdefault(f"{family.name}{end}", set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.fixture
async def served(opened: Opened) -> dict[str, set[str]]:
    """What both services serve after they have had something to do."""
    model = ScriptedModel([program_turn("x", tool="echo"), text_turn("42")])
    async with open_client(model) as shim:
        await shim.post("/agent/run", json=REQUEST)
        await shim.get("/runs/none")
        ours = (await shim.get("/metrics")).text
    async with opened(warm={"python": 1}) as client:
        await _used(client)
        theirs = (await client.get("/metrics")).text
    return families(ours) | families(theirs)


async def _used(client: httpx.AsyncClient) -> None:
    await client.post("/v1/execute", json=SNIPPET)
    await client.post("/v1/execute", json={"language": "none"})


async def test_every_metric_and_label_of_the_dashboard_is_served(
    served: dict[str, set[str]],
) -> None:
    asked = expressions()
    assert len(asked) > 20
    missing = {name for each in asked for name in names_in(each)} - set(served)
    assert missing == set()
    for each in asked:
        known = {label for name in names_in(each) for label in served[name]}
        assert labels_in(each) - known - OWN_LABELS == set(), each


async def test_whatever_is_counted_is_on_the_dashboard(served: dict[str, set[str]]) -> None:
    shown = {re.sub(r"_(bucket|sum|count)$", "", n) for e in expressions() for n in names_in(e)}
    ours = {re.sub(r"_(bucket|sum|count)$", "", n) for n in served if not n.startswith("process_")}
    assert {name for name in ours if not name.endswith("_created")} - shown == set()
