"""Where the weights lie in a GGUF file, so that a copy of it can get others."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import Final

ALIGNMENT: Final = 32
FLOAT32: Final = 0
STRING: Final = 8
ARRAY: Final = 9
# The sizes of a value by its type: integers, floats and truth values (the format's table of types).
SIZES: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One matrix or vector of 32-bit floats: its name, sizes, and place in the file in bytes."""

    name: str
    sizes: tuple[int, ...]
    start: int

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return prod(self.sizes)

    @property
    def end(self) -> int:
        """Behind its last byte."""
        return self.start + 4 * self.count


def tensors_in(content: bytes) -> list[Tensor]:
    """Every tensor of a file without weights other than 32-bit floats."""
    file = BytesIO(content)
    assert file.read(4) == b"GGUF"
    _, tensors, values = struct.unpack("<IQQ", file.read(20))
    for _ in range(values):
        _string(file)
        _skip_value(file, _number(file, "<I"))
    described = [_described(file) for _ in range(tensors)]
    first = -(-file.tell() // ALIGNMENT) * ALIGNMENT
    return [Tensor(name, sizes, first + offset) for name, sizes, offset in described]


def _described(file: BytesIO) -> tuple[str, tuple[int, ...], int]:
    name = _string(file)
    dimensions = _number(file, "<I")
    sizes = tuple(_numbers(file, "<Q", dimensions))
    assert _number(file, "<I") == FLOAT32, f"{name} is not of 32-bit floats"
    return name, sizes, _number(file, "<Q")


def _skip_value(file: BytesIO, kind: int) -> None:
    if kind == STRING:
        _string(file)
    elif kind == ARRAY:
        item, count = _number(file, "<I"), _number(file, "<Q")
        for _ in range(count):
            _skip_value(file, item)
    else:
        file.seek(SIZES[kind], 1)


def _string(file: BytesIO) -> str:
    return file.read(_number(file, "<Q")).decode()


def _numbers(file: BytesIO, form: str, count: int) -> Iterator[int]:
    return (_number(file, form) for _ in range(count))


def _number(file: BytesIO, form: str) -> int:
    number: int = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return number
