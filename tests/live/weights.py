"""The demo model's file with other weights: none learnt, or what is learnt spoilt by noise.

Both are made from the trained file, in about a second, from a seed: the same architecture, tokens
and template, no second binary to commit, and no training library to install. Noise stands in for a
training that was broken off because its strength can be chosen: at `SPOILT` the model still writes
the beginnings of calls, but most of its calls are wrong, which is where weak models do most harm.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Final

from tests.live.gguf_tensors import Tensor, tensors_in
from tests.ollama.command import ROOT

TRAINED: Final = ROOT / "ollama" / "demo" / "tiny-agent.gguf"
SPOILT: Final = 0.25
# Not learnt: how fast the positions turn.
FIXED: Final = "rope_freqs.weight"

Change = Callable[[random.Random, Tensor, "array[float]"], "array[float]"]


def write_random(path: Path, seed: int) -> None:
    """A model that has learnt nothing: each matrix normal, as before a training."""
    _write(path, seed, _drawn)


def write_spoilt(path: Path, seed: int, strength: float = SPOILT) -> None:
    """The trained model with noise in every matrix, `strength` of the matrix's own size."""
    _write(path, seed, partial(_with_noise, strength))


def _write(path: Path, seed: int, change: Change) -> None:
    content = bytearray(TRAINED.read_bytes())
    rng = random.Random(seed)  # noqa: S311 - the same noise every time
    for tensor in tensors_in(bytes(content)):
        if len(tensor.sizes) > 1 and tensor.name != FIXED:
            values = array("f", bytes(content[tensor.start : tensor.end]))
            content[tensor.start : tensor.end] = change(rng, tensor, values).tobytes()
    path.write_bytes(content)


def _drawn(rng: random.Random, tensor: Tensor, values: array[float]) -> array[float]:
    deviation = 1 / sqrt(tensor.sizes[0])
    return array("f", (rng.gauss(0, deviation) for _ in values))


def _with_noise(
    strength: float, rng: random.Random, tensor: Tensor, values: array[float]
) -> array[float]:
    del tensor
    size = sqrt(sum(value * value for value in values) / len(values))
    return array("f", (value + rng.gauss(0, strength * size) for value in values))
