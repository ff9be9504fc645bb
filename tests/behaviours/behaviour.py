"""A behaviour: what a model does in a whole run, and what an agent should make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mini_agent.testing.replies import ScriptedReply
from tests.behaviours.programs import RLE, Program

Kind: TypeAlias = Literal["recoverable", "honest", "nothing"]
Turn: TypeAlias = ScriptedReply | str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A model that does `first` until it has seen what `program` comes to, and then does `then`.

    The last of each is done for ever. "recoverable": the right answer can be had, by running
    `program` and perhaps `also`. "honest": it cannot, and the run has to say so in time.
    "nothing": nothing may be run, and the answer is what the model says, with `words` in it.
    """

    family: str
    name: str
    first: tuple[Turn, ...]
    then: tuple[Turn, ...] = ()
    program: Program = RLE
    also: tuple[Program, ...] = ()
    kind: Kind = "recoverable"
    words: str = ""
    seconds: float = 20.0

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"

    @property
    def may_run(self) -> Sequence[Program]:
        """All that may be run, however often."""
        return (self.program, *self.also) if self.kind == "recoverable" else self.also

    @property
    def task(self) -> str:
        """What the user asks."""
        return self.program.task
