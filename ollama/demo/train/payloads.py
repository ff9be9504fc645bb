"""Random strings, sums and outputs, and the rule that keeps some of them for the measurement."""

import random
import string
import zlib
from collections.abc import Callable
from itertools import groupby
from typing import Final

MAX_PAYLOAD: Final = 16
MAX_OUTPUT: Final = 32
SHOWN: Final = (
    "aaabbc",
    "aabbccddeeffgg",
    "aaabbbc",
    "hello",
    "hello42",
    "abcabc",
    "aaaabbbcc",
)
SHOWN_SUMS: Final = ("12 * 34",)

_LOWER = string.ascii_lowercase + string.digits
_ANY_CASE = string.ascii_letters + string.digits
_TEXT = _ANY_CASE + "-_.:+  ,!'"


def is_held_out(text: str) -> bool:
    """Tell whether a text is for the measurement only; such a text is never trained on."""
    return text in SHOWN or text in SHOWN_SUMS or zlib.crc32(text.encode()) % 8 == 0


def run_lengths(text: str) -> str:
    """Return each run of a text as its character and its count."""
    return "".join(f"{char}{len(list(run))}" for char, run in groupby(text))


def _alphabet(rng: random.Random) -> str:
    choices = (_LOWER, string.ascii_lowercase, _ANY_CASE, string.ascii_uppercase, string.digits)
    return rng.choices(choices, (40, 25, 20, 8, 7))[0]


def _scattered(rng: random.Random, size: int) -> str:
    return "".join(rng.choices(_alphabet(rng), k=size))


def _few_characters(rng: random.Random, size: int) -> str:
    chars = rng.sample(_alphabet(rng), rng.randint(1, 4))
    return "".join(rng.choices(chars, k=size))


def _runs(rng: random.Random, size: int) -> str:
    chars = rng.sample(_alphabet(rng), rng.randint(2, 8))
    longest = rng.choice((3, 4, 5, 9, 16))
    text = ""
    while len(text) < size:
        text += rng.choice(chars) * rng.randint(1, longest)
    return text[:size]


def _repeated(rng: random.Random, size: int) -> str:
    unit = "".join(rng.choices(_alphabet(rng), k=rng.randint(2, 5)))
    text = unit * size
    start = rng.randrange(len(unit))
    return text[start : start + size]


def _word(rng: random.Random, size: int) -> str:
    text = ""
    while len(text) < size:
        text += rng.choice("bcdfghjklmnprstvwz") + rng.choice("aeiou")
        text += rng.choice(("", "", "n", "ll", "s", "tt"))
    tail = "".join(rng.choices(string.digits, k=rng.choice((0, 0, 0, 1, 2, 3))))
    text = text[: max(1, size - len(tail))] + tail
    return rng.choices((text, text.capitalize(), text.upper()), (8, 1, 1))[0][:MAX_PAYLOAD]


_SHAPES: Final = ((_scattered, 38), (_runs, 26), (_word, 18), (_few_characters, 12), (_repeated, 6))


def _draw(make: Callable[[], str], held_out: bool) -> str:
    while True:
        text = make()
        if is_held_out(text) == held_out:
            return text


def random_string(rng: random.Random, held_out: bool, longest: int = MAX_PAYLOAD) -> str:
    """Return a string of 1 to `longest` letters and digits."""

    def make() -> str:
        shape = rng.choices([make for make, _ in _SHAPES], [weight for _, weight in _SHAPES])[0]
        return shape(rng, rng.randint(1, longest))

    return _draw(make, held_out)


def random_sum(rng: random.Random, held_out: bool) -> tuple[int, str, int]:
    """Return two numbers of up to four digits and the operator between them."""
    while True:
        left, right = (rng.randrange(10 ** rng.choice((1, 2, 2, 3, 3, 4))) for _ in range(2))
        operator = rng.choice("+-*")
        if is_held_out(f"{left} {operator} {right}") == held_out:
            return left, operator, right


def _any_output(rng: random.Random, longest: int) -> str:
    size = rng.randint(1, longest)
    kind = rng.random()
    if kind < 0.35:
        return _scattered(rng, size)
    if kind < 0.6:
        return run_lengths(random_string(rng, held_out=False, longest=max(1, longest // 2)))
    if kind < 0.75:
        return str(rng.randint(-(10 ** rng.randint(1, 6)), 10 ** rng.randint(1, 12)))
    if kind < 0.85:
        return _runs(rng, size)
    return "".join(rng.choices(_TEXT, k=size)).strip() or "x"


def random_output(rng: random.Random, held_out: bool, longest: int = MAX_OUTPUT) -> str:
    """Return what a program might have printed, whatever was asked."""
    return _draw(lambda: _any_output(rng, longest), held_out)


def true_output(task: str, payload: str) -> str:
    """Return what the right program prints for this payload."""
    if task == "encode":
        return run_lengths(payload)
    if task == "reverse":
        return payload[::-1]
    if task == "count":
        return str(len(payload))
    left, operator, right = payload.split()
    results = {"+": int(left) + int(right), "-": int(left) - int(right)}
    return str(results.get(operator, int(left) * int(right)))
