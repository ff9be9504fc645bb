"""Three levels of one tiny model, each served by llama.cpp: random, badly trained, trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.live.served import served
from tests.live.weights import TRAINED, write_random, write_spoilt

os.environ.setdefault("LITELLM_MODE", "PRODUCTION")

SEEDS: Final = (1, 2)
STRENGTHS: Final = (0.4, 0.6, 0.8)


@pytest.fixture(scope="module")
def random_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The addresses of models that have learnt nothing."""
    folder = tmp_path_factory.mktemp("random")
    files = [folder / f"random-{seed}.gguf" for seed in SEEDS]
    for seed, file in zip(SEEDS, files, strict=True):
        write_random(file, seed)
    yield from _served(files)


@pytest.fixture(scope="module")
def spoilt_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The addresses of models that are from half right to hardly able to end a call."""
    folder = tmp_path_factory.mktemp("spoilt")
    files = []
    for strength in STRENGTHS:
        for seed in SEEDS:
            files.append(folder / f"spoilt-{strength}-{seed}.gguf")
            write_spoilt(files[-1], seed, strength)
    yield from _served(files)


@pytest.fixture(scope="module")
def trained_model() -> Iterator[str]:
    """The address of the demo model as it is shipped."""
    with served(TRAINED) as address:
        yield address


def _served(files: list[Path]) -> Iterator[list[str]]:
    with ExitStack() as servers:
        yield [servers.enter_context(served(file)) for file in files]
