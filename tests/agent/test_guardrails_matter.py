"""Each guardrail is there for a reason: switched off, a test fails."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.agent.guardrails import GUARDRAILS, Guardrail
from tests.agent.switched_off import ROOT, TESTS_FAILED


@pytest.fixture(scope="module")
def ended() -> dict[str, int]:
    """How the test of each guardrail ended without it."""
    command = (sys.executable, "-m", "tests.agent.switched_off")
    completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    exits: dict[str, int] = json.loads(completed.stdout)
    return exits


@pytest.mark.timeout(500)
@pytest.mark.parametrize("guardrail", GUARDRAILS, ids=lambda each: str(each.name))
def test_without_it_a_test_fails(guardrail: Guardrail, ended: dict[str, int]) -> None:
    assert ended[guardrail.name] == TESTS_FAILED
