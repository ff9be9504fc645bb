"""The demo model, served by llama.cpp, on strings that it was never trained on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mini_agent.cli.demo import serve_demo_model
from tests.ollama.command import ROOT

WEIGHTS = ROOT / "ollama" / "demo" / "tiny-agent.gguf"


@pytest.mark.timeout(600)
def test_every_group_of_held_out_payloads_is_97_percent_right() -> None:
    with serve_demo_model() as address:
        probe = [sys.executable, "-m", "train.probe", "--payloads", "200", "--threshold", "0.97"]
        measured = subprocess.run(
            [*probe, "--url", address.removesuffix("/v1")],
            cwd=WEIGHTS.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
    assert measured.returncode == 0, measured.stdout[-4000:] + measured.stderr


@pytest.mark.timeout(150)
def test_a_server_that_is_left_at_once_ends() -> None:
    for _ in range(5):
        with serve_demo_model() as address:
            assert address


def test_the_weights_stay_small() -> None:
    assert WEIGHTS.stat().st_size < 3_000_000
