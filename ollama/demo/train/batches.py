"""Batches of dialogues of like length, made on the fly."""

import random
from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from train.dialogues import Row, random_copy, random_dialogue, to_row
from train.payloads import MAX_PAYLOAD
from train.vocabulary import PADDING, TOKEN_IDS

_POOL: Final = 600
_RAMP_STEPS: Final = 400
_COPY_STEPS: Final = 300


def pack(rows: list[Row]) -> tuple[Tensor, Tensor]:
    """Return the rows as one padded tensor, and which of its tokens the model has to write."""
    longest = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), longest), TOKEN_IDS[PADDING])
    written = torch.zeros(len(rows), longest, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        for _, start, end in row.written:
            written[index, start:end] = True
    return ids, written


def _rows(rng: random.Random, step: int) -> list[Row]:
    """Return a pool of dialogues: short payloads and much plain copying at first."""
    longest = min(MAX_PAYLOAD, 4 + 12 * step // _RAMP_STEPS)
    copying = max(0.05, 0.6 * (1 - step / _COPY_STEPS))
    rows = []
    for _ in range(_POOL):
        copy = rng.random() < copying
        rows.append(to_row(random_copy(rng) if copy else random_dialogue(rng, longest=longest)))
    return sorted(rows, key=lambda row: len(row.ids))


def batches(rng: random.Random, tokens: int, step: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of about `tokens` tokens for ever, as from this step of the training."""
    while True:
        chunks: list[list[Row]] = [[]]
        for row in _rows(rng, step):
            if (len(chunks[-1]) + 1) * len(row.ids) > tokens:
                chunks.append([])
            chunks[-1].append(row)
        rng.shuffle(chunks)
        for chunk in chunks:
            if len(chunk) * len(chunk[-1].ids) > tokens // 2:
                step += 1
                yield pack(chunk)
